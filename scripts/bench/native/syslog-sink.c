/*
 * syslog-sink PATH: a /dev/log that discards everything. Without one, libpam
 * writes each line to the console, and the benchmark would measure that.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char line[8192];

	if (argc != 2 || strlen(argv[1]) >= sizeof address.sun_path)
		return 64;
	memcpy(address.sun_path, argv[1], strlen(argv[1]));
	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
	    chmod(argv[1], 0666) != 0) {
		perror(argv[1]);
		return 71;
	}
	while (recv(fd, line, sizeof line, 0) >= 0)
		;
	return 71;
}
