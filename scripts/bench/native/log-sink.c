/* log-sink FILE COMMAND [ARGUMENT...]: runs COMMAND with a standard error that
 * is read as journald reads it: from a Unix stream socket, at once. The first
 * bytes go to FILE, where the benchmark looks for a daemon's first lines; the
 * rest is discarded. A reader in JavaScript took a sixth of the logins that 32
 * processes could have.
 *
 * COMMAND keeps this process's id. The reader is a grandchild, which COMMAND
 * does not know of, and ends with the last copy of the socket. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEPT_MAX 16384

static int read_all(int from, int kept)
{
	static char bytes[65536];
	size_t room = KEPT_MAX;
	ssize_t n;

	while ((n = read(from, bytes, sizeof bytes)) > 0) {
		size_t keep = (size_t)n < room ? (size_t)n : room;

		if (keep > 0 && write(kept, bytes, keep) != (ssize_t)keep)
			return 71;
		room -= keep;
	}
	return 0;
}

static int become_reader(int from, int kept)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid < 0 ? 71 : 0;
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	return read_all(from, kept);
}

int main(int argc, char **argv)
{
	int ends[2], status = 0;
	int kept = argc < 3 ? -1 :
	    open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	pid_t pid;

	if (kept < 0)
		return 64;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		return 71;
	pid = fork();
	if (pid == 0) {
		close(ends[1]);
		_exit(become_reader(ends[0], kept));
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0 ||
	    dup2(ends[1], STDERR_FILENO) < 0)
		return 71;
	execvp(argv[2], argv + 2);
	return 71;
}
