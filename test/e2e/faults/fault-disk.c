/* A disk that fails on request, and remembers what is really durable.
 * Preloaded into the daemon, it handles the files below FAULT_ROOT.
 *
 * FAULT_CONTROL is a file of 32-bit numbers, shared with the test (see
 * `struct control`). FAULT_SHADOW is a directory that holds what a power cut
 * would leave: `file-KEY` is a file as of the last sync that succeeded,
 * `dir-KEY` the names that were in a directory then, one `KEY TYPE NAME` a
 * line. After a sync that failed nothing of that file is taken for durable any
 * more (`lost-KEY`): the kernel may have dropped what was written. KEY is the
 * inode and when it was made, since inodes are used again. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define PATH_SIZE 512
#define COPY_SIZE 65536

struct control {
	uint32_t sync_errno;  /* what syncs fail with; 0: they work */
	uint32_t sync_first;  /* so many work before */
	uint32_t sync_times;  /* so many fail, then they work again */
	uint32_t write_errno; /* the same for writes */
	uint32_t short_write; /* not 0: writes take only a half */
	uint32_t open_errno;  /* the same for opening to write, and for names */
	uint32_t kill_at;     /* the call, counted from 1, before which we die */
	uint32_t calls;       /* how many there were */
	uint32_t faults;      /* how many of them failed because of us */
};

static struct control quiet, *control = &quiet;
static const char *root, *shadow;
static pthread_mutex_t busy = PTHREAD_MUTEX_INITIALIZER;

static void *real(const char *name)
{
	void *function = dlsym(RTLD_NEXT, name);

	if (function == NULL)
		abort();
	return function;
}

#define REAL(type, name, ...) \
	((type (*)(__VA_ARGS__))(uintptr_t)real(name))
#define REAL_OPEN REAL(int, "open64", const char *, int, ...)

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAULT_CONTROL");
	int fd;

	root = getenv("FAULT_ROOT");
	shadow = getenv("FAULT_SHADOW");
	if (path == NULL || root == NULL || shadow == NULL)
		return;
	fd = REAL_OPEN(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (control == MAP_FAILED)
		abort();
	close(fd);
}

static int below_root(const char *path)
{
	size_t n = root == NULL ? 0 : strlen(root);

	return n > 0 && strncmp(path, root, n) == 0 &&
	    (path[n] == '/' || path[n] == 0);
}

/* Where a descriptor, or the directory of a path through one, really is. */
static int is_ours(const char *path)
{
	char real_path[PATH_SIZE];
	char directory[PATH_SIZE];
	ssize_t n;
	char *slash;

	snprintf(directory, sizeof directory, "%s", path);
	n = readlink(directory, real_path, sizeof real_path - 1);
	if (n < 0) {
		/* /proc/self/fd/N/name: the link is in the middle. */
		slash = strncmp(path, "/proc/self/fd/", 14) == 0
		    ? strchr(directory + 14, '/') : NULL;
		if (slash == NULL)
			return below_root(path);
		*slash = 0;
		n = readlink(directory, real_path, sizeof real_path - 1);
		if (n < 0)
			return 0;
	}
	real_path[n] = 0;
	return below_root(real_path);
}

static int is_our_fd(int fd)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return is_ours(path);
}

/**
 * Every call that changes the disk passes here; the process may be killed in
 * it.
 */
static void count_call(void)
{
	if (__atomic_add_fetch(&control->calls, 1, __ATOMIC_SEQ_CST) ==
	    control->kill_at)
		kill(getpid(), SIGKILL);
}

static int fail(uint32_t error)
{
	__atomic_add_fetch(&control->faults, 1, __ATOMIC_SEQ_CST);
	errno = (int)error;
	return -1;
}

static void name_shadow(char *out, const char *kind, const struct statx *st)
{
	snprintf(out, PATH_SIZE, "%s/%s-%llu-%lld.%09u", shadow, kind,
	    (unsigned long long)st->stx_ino, (long long)st->stx_btime.tv_sec,
	    st->stx_btime.tv_nsec);
}

static int examine(int dir, const char *name, struct statx *st)
{
	return statx(dir, name, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW,
	    STATX_TYPE | STATX_INO | STATX_BTIME, st);
}

static void put(int fd, const void *bytes, size_t length)
{
	if (REAL(ssize_t, "write", int, const void *, size_t)(fd, bytes, length) !=
	    (ssize_t)length)
		abort();
}

static void copy_file(int from, int to)
{
	static char buffer[COPY_SIZE];
	off_t at = 0;
	ssize_t n;

	while ((n = pread(from, buffer, sizeof buffer, at)) > 0) {
		put(to, buffer, (size_t)n);
		at += n;
	}
}

static void copy_names(int from, int to)
{
	DIR *dir = fdopendir(dup(from));
	struct dirent *entry;
	struct statx st;
	char key[PATH_SIZE], line[2 * PATH_SIZE];

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0 ||
		    examine(from, entry->d_name, &st) != 0)
			continue;
		name_shadow(key, "", &st);
		snprintf(line, sizeof line, "%s %c %s\n",
		    key + strlen(shadow) + 2, S_ISDIR(st.stx_mode) ? 'd' : 'f',
		    entry->d_name);
		put(to, line, strlen(line));
	}
	if (dir != NULL)
		closedir(dir);
}

/* Copies what is there now to NAME.new. */
static void copy_aside(int fd, const struct statx *st, const char *name)
{
	char path[PATH_SIZE];
	char aside[PATH_SIZE + 8];
	int from, to;

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	snprintf(aside, sizeof aside, "%s.new", name);
	from = REAL_OPEN(path, O_RDONLY | O_CLOEXEC);
	to = REAL_OPEN(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (from < 0 || to < 0)
		abort();
	if (S_ISDIR(st->stx_mode))
		copy_names(from, to);
	else
		copy_file(from, to);
	close(from);
	close(to);
}

static int sync_fails(void)
{
	if (control->sync_errno == 0 || control->sync_times == 0)
		return 0;
	if (control->sync_first > 0) {
		control->sync_first--;
		return 0;
	}
	control->sync_times--;
	return 1;
}

static int sync_with(int fd, const char *function)
{
	char name[PATH_SIZE], lost[PATH_SIZE], aside[PATH_SIZE + 8];
	struct statx st;
	int rc;

	if (shadow == NULL || !is_our_fd(fd))
		return REAL(int, function, int)(fd);
	pthread_mutex_lock(&busy);
	count_call();
	if (examine(fd, "", &st) != 0)
		abort();
	name_shadow(name, S_ISDIR(st.stx_mode) ? "dir" : "file", &st);
	name_shadow(lost, "lost", &st);
	snprintf(aside, sizeof aside, "%s.new", name);
	if (sync_fails()) {
		close(REAL_OPEN(lost, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
		rc = fail(control->sync_errno);
	} else {
		copy_aside(fd, &st, name); /* before: later writes may be lost */
		rc = REAL(int, function, int)(fd);
		if (rc == 0 && (access(lost, F_OK) != 0 || S_ISDIR(st.stx_mode)))
			REAL(int, "rename", const char *, const char *)(aside, name);
	}
	pthread_mutex_unlock(&busy);
	return rc;
}

int fsync(int fd)
{
	return sync_with(fd, "fsync");
}

int fdatasync(int fd)
{
	return sync_with(fd, "fdatasync");
}

/* How many bytes of a write pass; -1: it fails. */
static ssize_t admit(int fd, size_t length)
{
	if (shadow == NULL || !is_our_fd(fd))
		return (ssize_t)length;
	count_call();
	if (control->write_errno != 0)
		return fail(control->write_errno);
	if (control->short_write != 0) {
		fail(0);
		return (ssize_t)(length / 2);
	}
	return (ssize_t)length;
}

/* A write through O_DSYNC is one with a sync behind it. */
static ssize_t synced(int fd, ssize_t written)
{
	if (written < 0 || shadow == NULL || !is_our_fd(fd) ||
	    (fcntl(fd, F_GETFL) & O_DSYNC) == 0)
		return written;
	return sync_with(fd, "fdatasync") == 0 ? written : -1;
}

ssize_t write(int fd, const void *bytes, size_t length)
{
	ssize_t n = admit(fd, length);

	return n < 0 ? n
	    : synced(fd, REAL(ssize_t, "write", int, const void *, size_t)(fd,
	      bytes, (size_t)n));
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
	ssize_t n = admit(fd, length);

	return n < 0 ? n
	    : synced(fd, REAL(ssize_t, "pwrite64", int, const void *, size_t,
	      off64_t)(fd, bytes, (size_t)n, at));
}

static int refuses_names(const char *path)
{
	if (shadow == NULL || !is_ours(path))
		return 0;
	count_call();
	return control->open_errno != 0;
}

int open64(const char *path, int flags, ...)
{
	va_list arguments;
	mode_t mode = 0;

	if ((flags & O_CREAT) != 0) {
		va_start(arguments, flags);
		mode = va_arg(arguments, mode_t);
		va_end(arguments);
	}
	if ((flags & O_ACCMODE) != O_RDONLY && refuses_names(path))
		return fail(control->open_errno);
	return REAL_OPEN(path, flags, mode);
}

int rename(const char *from, const char *to)
{
	if (refuses_names(to))
		return fail(control->open_errno);
	return REAL(int, "rename", const char *, const char *)(from, to);
}

int unlink(const char *path)
{
	if (refuses_names(path))
		return fail(control->open_errno);
	return REAL(int, "unlink", const char *)(path);
}
