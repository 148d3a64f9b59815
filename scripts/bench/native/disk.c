/* disk DIRECTORY COUNT: measures durable writes on its file system.
 * Prints COUNT lines: nanoseconds of a write of 128 bytes into a file of
 * zeros with fdatasync (how our journal grows), and of a new file with fsync
 * and rename (how a state file is replaced), in turns. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define RECORD 128
#define ROOM (1 << 20)

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000LL + now.tv_nsec;
}

static int64_t append(int fd, off_t where)
{
	char record[RECORD];
	int64_t begun = now_ns();

	memset(record, 'x', sizeof record);
	if (pwrite(fd, record, sizeof record, where % ROOM) != RECORD ||
	    fdatasync(fd) != 0)
		return -1;
	return now_ns() - begun;
}

static int64_t replace(void)
{
	char record[RECORD];
	int64_t begun = now_ns();
	int fd = open("replaced.new", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	memset(record, 'x', sizeof record);
	if (fd < 0 || write(fd, record, sizeof record) != RECORD ||
	    fsync(fd) != 0 || close(fd) != 0 ||
	    rename("replaced.new", "replaced") != 0)
		return -1;
	return now_ns() - begun;
}

int main(int argc, char **argv)
{
	static char zeros[ROOM];
	int fd;

	if (argc != 3 || chdir(argv[1]) != 0)
		return 64;
	fd = open("journal", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || write(fd, zeros, sizeof zeros) != ROOM || fsync(fd) != 0)
		return 71;
	for (int i = 0; i < atoi(argv[2]); i++)
		printf("%lld %lld\n", (long long)append(fd, i * RECORD),
		    (long long)replace());
	unlink("journal");
	unlink("replaced");
	return 0;
}
