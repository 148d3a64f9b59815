/* Stands between the module and the system: the fuzzer exports these names,
 * so the module finds them before libc's and libpam's. Each call can be made
 * to fail; time passes only here. Calls of anybody else pass through. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <pwd.h>
#include <sanitizer/asan_interface.h>
#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "login.h"

#define REPEATED 0x80 /* in an effect: not once but many times */
#define REPEATS 150
#define DESCRIPTORS 32

static uintptr_t module_start, module_end;

int audit_open(void);
__attribute__((format(printf, 3, 4))) void __syslog_chk(int priority,
    int flag, const char *format, ...);

static const int errors[CALLS][8] = {
	[CALL_SOCKET] = { EMFILE, ENFILE, EACCES, ENOBUFS, ENOMEM,
	    EAFNOSUPPORT, EMFILE, EMFILE },
	[CALL_DUP] = { EMFILE, EINVAL, EMFILE, EMFILE, EMFILE, EMFILE, EMFILE,
	    EMFILE },
	[CALL_CONNECT] = { EAGAIN, EINTR, ENOENT, ECONNREFUSED, EACCES, EPERM,
	    EPROTOTYPE, ENOTDIR },
	[CALL_PEER] = { EINVAL, ENOTCONN, ENOBUFS, EINVAL, 0, 0, 0, 0 },
	[CALL_POLL] = { EINTR, ENOMEM, EINVAL, EINTR, 0, 0, 0, 0 },
	[CALL_RECV] = { EINTR, EAGAIN, ECONNRESET, ENOMEM, EIO, 0, 0, 0 },
	[CALL_SEND] = { EINTR, EAGAIN, EPIPE, ECONNRESET, ENOBUFS, 0, 0, 0 },
	[CALL_CLOCK] = { EINVAL, 0, 0, 0, 0, 0, 0, 0 },
	[CALL_CLOSE] = { EINTR, EIO, EINTR, EIO, EINTR, EIO, EINTR, EIO },
	[CALL_GET_USER] = { PAM_CONV_ERR, PAM_CONV_AGAIN, PAM_SYSTEM_ERR,
	    PAM_BUF_ERR, PAM_SUCCESS, PAM_ABORT, PAM_PERM_DENIED, PAM_IGNORE },
	[CALL_GET_AUTHTOK] = { PAM_BAD_ITEM, PAM_PERM_DENIED, PAM_SYSTEM_ERR,
	    PAM_BUF_ERR, PAM_IGNORE, PAM_ABORT, PAM_BAD_ITEM, PAM_BAD_ITEM },
	[CALL_SET_AUTHTOK] = { PAM_BUF_ERR, PAM_PERM_DENIED, PAM_SYSTEM_ERR,
	    PAM_BAD_ITEM, PAM_IGNORE, PAM_ABORT, PAM_BUF_ERR, PAM_BUF_ERR },
	[CALL_PROMPT] = { PAM_BUF_ERR, PAM_SYSTEM_ERR, PAM_CONV_ERR,
	    PAM_CONV_AGAIN, PAM_ABORT, PAM_IGNORE, PAM_SUCCESS, PAM_BUF_ERR },
};

/* One part of a program in memory; true ends the search. */
static int look_at(struct dl_phdr_info *info, size_t size, void *path)
{
	uintptr_t end;

	(void)size;
	if (strcmp(info->dlpi_name, path) != 0)
		return 0;
	module_start = info->dlpi_addr;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr +
		    info->dlpi_phdr[i].p_memsz;
		if (info->dlpi_phdr[i].p_type == PT_LOAD && end > module_end)
			module_end = end;
	}
	return 1;
}

void system_watch(const char *path)
{
	if (module_end == 0)
		dl_iterate_phdr(look_at, (void *)path);
	require(module_end != 0, "the module is not loaded");
}

static bool is_module(const void *caller)
{
	return (uintptr_t)caller >= module_start &&
	    (uintptr_t)caller < module_end;
}

/* The fault that the script has for this call, if it has one. */
static const struct fault *fault_of(enum call call)
{
	unsigned which = login.calls[call]++;
	const struct fault *fault;

	for (size_t i = 0; i < login.script.fault_count; i++) {
		fault = &login.script.faults[i];
		if (fault->call == call && which >= fault->which &&
		    which - fault->which <=
		        ((fault->effect & REPEATED) != 0 ? REPEATS : 0))
			return fault;
	}
	return NULL;
}

static int error_of(const struct fault *fault)
{
	return fault == NULL ? 0 : errors[fault->call][fault->effect % 8];
}

/* A function of libc or libpam itself. */
static void *real(void **function, const char *name)
{
	if (*function == NULL)
		*function = dlsym(RTLD_NEXT, name);
	return *function;
}

static int fail(int error)
{
	errno = error;
	return -1;
}

static void pass(int ms)
{
	login.clock_ms += ms;
	oracle_waited(ms);
	daemon_pass(ms);
}

static void is_memory(const void *at, size_t size)
{
	require(__asan_region_is_poisoned((void *)at, size) == NULL,
	    "gives memory away that it does not have");
}

static void opened(int fd)
{
	if (fd >= 0 && fd < DESCRIPTORS)
		login.descriptors |= UINT64_C(1) << fd;
}

static void check_socket(int fd)
{
	require(fd > 2 && fd < DESCRIPTORS &&
	        (login.descriptors >> fd & 1) != 0,
	    "uses a descriptor that is not its own");
	require((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0,
	    "a socket that children inherit");
}

uint64_t open_descriptors(void)
{
	uint64_t open = 0;

	for (int fd = 0; fd < DESCRIPTORS; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			open |= UINT64_C(1) << fd;
	return open;
}

int socket(int domain, int type, int protocol)
{
	static int (*next)(int, int, int);
	int error, fd;

	real((void **)&next, "socket");
	if (!is_module(__builtin_return_address(0)))
		return next(domain, type, protocol);
	error = error_of(fault_of(CALL_SOCKET));
	oracle_not_connected(error);
	if (error != 0)
		return fail(error);
	fd = next(domain, type, protocol);
	opened(fd);
	return fd;
}

int fcntl(int fd, int command, ...)
{
	static int (*next)(int, int, ...);
	va_list list;
	void *argument;
	int error, made;

	va_start(list, command);
	argument = va_arg(list, void *);
	va_end(list);
	real((void **)&next, "fcntl");
	if (!is_module(__builtin_return_address(0)) || command != F_DUPFD_CLOEXEC)
		return next(fd, command, argument);
	error = error_of(fault_of(CALL_DUP));
	if (error != 0) {
		oracle_not_connected(error);
		return fail(error);
	}
	made = next(fd, command, argument);
	opened(made);
	return made;
}

int close(int fd)
{
	static int (*next)(int);
	int error;

	real((void **)&next, "close");
	if (!is_module(__builtin_return_address(0)))
		return next(fd);
	require(fd >= 0 && fd < DESCRIPTORS &&
	        (login.descriptors >> fd & 1) != 0,
	    "closes a descriptor that is not its own");
	login.descriptors &= ~(UINT64_C(1) << fd);
	error = error_of(fault_of(CALL_CLOSE));
	next(fd);
	return error == 0 ? 0 : fail(error);
}

static int connect_and_accept(int (*next)(int, const struct sockaddr *,
                                  socklen_t),
    int fd, const struct sockaddr *address, socklen_t size)
{
	int error = error_of(fault_of(CALL_CONNECT));

	check_socket(fd);
	is_memory(address, size);
	if (error == 0 && next(fd, address, size) != 0)
		error = errno;
	oracle_not_connected(error);
	if (error != 0)
		return fail(error);
	daemon_accept();
	return 0;
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
	static int (*next)(int, const struct sockaddr *, socklen_t);

	real((void **)&next, "connect");
	if (!is_module(__builtin_return_address(0)))
		return next(fd, address, size);
	return connect_and_accept(next, fd, address, size);
}

/* Effects above 3: the call works, but the peer is somebody else. */
int getsockopt(int fd, int level, int option, void *value, socklen_t *size)
{
	static int (*next)(int, int, int, void *, socklen_t *);
	const struct fault *fault;
	int rc;

	real((void **)&next, "getsockopt");
	if (!is_module(__builtin_return_address(0)))
		return next(fd, level, option, value, size);
	fault = fault_of(CALL_PEER);
	if (error_of(fault) != 0) {
		oracle_not_connected(error_of(fault));
		return fail(error_of(fault));
	}
	rc = next(fd, level, option, value, size);
	if (fault == NULL) {
		oracle_connected();
		return rc;
	}
	oracle_not_connected(EPERM);
	if (fault->effect % 8 == 4)
		*size -= 1;
	else
		((struct ucred *)value)->uid = geteuid() + 1;
	return rc;
}

/* Effects above 3: nothing happens until the timeout. */
static int wait_for(int (*next)(struct pollfd *, nfds_t, int),
    struct pollfd *polled, nfds_t count, int timeout)
{
	const struct fault *fault = fault_of(CALL_POLL);
	int left = timeout, ms, ready;

	if (error_of(fault) != 0) {
		pass(timeout / 2);
		return fail(error_of(fault));
	}
	for (;;) {
		bool listens = count > 0 && (polled->events & POLLIN) != 0;

		ms = listens ? daemon_act() : -1;
		ready = next(polled, count, 0);
		if (ready != 0 && (fault == NULL || timeout == 0))
			return ready;
		if (ms < 0 || ms > left || fault != NULL) {
			pass(left);
			return 0;
		}
		pass(ms);
		left -= ms;
	}
}

int poll(struct pollfd *polled, nfds_t count, int timeout)
{
	static int (*next)(struct pollfd *, nfds_t, int);

	real((void **)&next, "poll");
	if (!is_module(__builtin_return_address(0)))
		return next(polled, count, timeout);
	require(timeout >= 0 && count <= 1, "waits without an end");
	return wait_for(next, polled, count, timeout);
}

/* How many bytes a call moves: all, fewer, or as many as the script says. */
static size_t portion(const struct fault *fault, size_t size)
{
	size_t most = login.script.piece;

	if (fault != NULL)
		most = fault->effect % 32u / 8u + 1u;
	return most > 0 && most < size ? most : size;
}

static ssize_t receive(ssize_t (*next)(int, void *, size_t, int), int fd,
    void *bytes, size_t size, int flags)
{
	static uint8_t copy[1 << 16];
	const struct fault *fault = fault_of(CALL_RECV);
	ssize_t n;

	check_socket(fd);
	is_memory(bytes, size);
	if (error_of(fault) != 0)
		return fail(error_of(fault));
	daemon_act();
	size = portion(fault, size < sizeof copy ? size : sizeof copy);
	n = next(fd, copy, size, flags);
	if (n > 0) {
		memcpy(bytes, copy, (size_t)n);
		oracle_heard(copy, (size_t)n);
	}
	return n;
}

ssize_t recv(int fd, void *bytes, size_t size, int flags)
{
	static ssize_t (*next)(int, void *, size_t, int);

	real((void **)&next, "recv");
	if (!is_module(__builtin_return_address(0)))
		return next(fd, bytes, size, flags);
	require((flags & MSG_DONTWAIT) != 0, "reads without a deadline");
	return receive(next, fd, bytes, size, flags);
}

static ssize_t transmit(ssize_t (*next)(int, const void *, size_t, int),
    int fd, const void *bytes, size_t size, int flags)
{
	const struct fault *fault = fault_of(CALL_SEND);
	ssize_t n;
	int error;

	check_socket(fd);
	is_memory(bytes, size);
	if (error_of(fault) != 0)
		return fail(error_of(fault));
	n = next(fd, bytes, portion(fault, size), flags);
	error = errno;
	daemon_hear();
	errno = error;
	return n;
}

ssize_t send(int fd, const void *bytes, size_t size, int flags)
{
	static ssize_t (*next)(int, const void *, size_t, int);

	real((void **)&next, "send");
	if (!is_module(__builtin_return_address(0)))
		return next(fd, bytes, size, flags);
	require((flags & MSG_NOSIGNAL) != 0, "sends in a way that can kill");
	return transmit(next, fd, bytes, size, flags);
}

/* An effect that is no failure is a jump of that many 100 ms. */
int clock_gettime(clockid_t clock, struct timespec *now)
{
	static int (*next)(clockid_t, struct timespec *);
	const struct fault *fault;

	real((void **)&next, "clock_gettime");
	if (!is_module(__builtin_return_address(0)))
		return next(clock, now);
	require(clock == CLOCK_MONOTONIC, "a clock that can be set");
	fault = fault_of(CALL_CLOCK);
	if (error_of(fault) != 0)
		return fail(error_of(fault));
	if (fault != NULL)
		login.clock_ms += fault->effect % REPEATED * 100;
	now->tv_sec = login.clock_ms / 1000;
	now->tv_nsec = login.clock_ms % 1000 * 1000000;
	return 0;
}

/* Only a module can pass a password to the next one, so this is done here. */
int pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
	static int (*next)(pam_handle_t *, const char **, const char *);
	const struct fault *fault;
	int rc;

	real((void **)&next, "pam_get_user");
	if (!is_module(__builtin_return_address(0)))
		return next(pamh, user, prompt);
	fault = fault_of(CALL_GET_USER);
	rc = error_of(fault);
	if (login.script.items[ITEM_STACKED] != NULL)
		pam_set_item(pamh, PAM_AUTHTOK,
		    login.script.items[ITEM_STACKED]);
	if (fault == NULL)
		rc = next(pamh, user, prompt);
	oracle_user(rc, *user);
	return rc;
}

int pam_get_item(const pam_handle_t *pamh, int item, const void **value)
{
	static int (*next)(const pam_handle_t *, int, const void **);
	int rc;

	real((void **)&next, "pam_get_item");
	if (!is_module(__builtin_return_address(0)) || item != PAM_AUTHTOK)
		return next(pamh, item, value);
	rc = error_of(fault_of(CALL_GET_AUTHTOK));
	if (rc == PAM_SUCCESS)
		rc = next(pamh, item, value);
	oracle_stacked(rc == PAM_SUCCESS ? *value : NULL);
	return rc;
}

int pam_set_item(pam_handle_t *pamh, int item, const void *value)
{
	static int (*next)(pam_handle_t *, int, const void *);
	int rc;

	real((void **)&next, "pam_set_item");
	if (!is_module(__builtin_return_address(0)))
		return next(pamh, item, value);
	require(item == PAM_AUTHTOK, "sets what it must not");
	rc = error_of(fault_of(CALL_SET_AUTHTOK));
	if (rc == PAM_SUCCESS)
		rc = next(pamh, item, value);
	oracle_token_set(value, rc);
	return rc;
}

/* A failure here simulates a lack of memory. */
int pam_prompt(pam_handle_t *pamh, int style, char **response,
    const char *format, ...)
{
	const struct fault *fault = fault_of(CALL_PROMPT);
	int rc = error_of(fault);
	va_list list;

	*response = NULL;
	va_start(list, format);
	if (fault == NULL)
		rc = pam_vprompt(pamh, style, response, format, list);
	va_end(list);
	oracle_answered(rc, *response);
	return rc;
}

int pam_fail_delay(pam_handle_t *pamh, unsigned usec)
{
	static int (*next)(pam_handle_t *, unsigned);

	real((void **)&next, "pam_fail_delay");
	if (is_module(__builtin_return_address(0)))
		oracle_delay(usec);
	return next(pamh, usec);
}

struct passwd *pam_modutil_getpwnam(pam_handle_t *pamh, const char *user)
{
	static struct passwd entry;
	const struct script *script = &login.script;

	(void)pamh;
	(void)user;
	if ((script->flags & HOST_UNKNOWN_USER) != 0)
		return NULL;
	entry.pw_uid = script->uid;
	entry.pw_gid = script->gid;
	entry.pw_dir = (char *)script->items[ITEM_HOME];
	entry.pw_name = (char *)script->items[ITEM_NAME];
	return &entry;
}

/* Nothing goes to the system's log. SHOW_LOG=1 prints the lines. */
__attribute__((format(printf, 1, 0))) static void show_log(
    const char *format, va_list list)
{
	char line[2048];

	vsnprintf(line, sizeof line, format, list);
	if (getenv("SHOW_LOG") != NULL)
		fprintf(stderr, "%s\n", line);
}

void syslog(int priority, const char *format, ...)
{
	va_list list;

	(void)priority;
	va_start(list, format);
	show_log(format, list);
	va_end(list);
}

void __syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list list;

	(void)priority;
	(void)flag;
	va_start(list, format);
	show_log(format, list);
	va_end(list);
}

/* libpam then takes the kernel for one without audit: its records would go to
 * the machine's log, and a failure would hide the module's return value. */
int audit_open(void)
{
	return fail(EPROTONOSUPPORT);
}
