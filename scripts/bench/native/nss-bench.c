/* Users of the benchmark for getpwnam(3): bench0, bench1, … With thousands of
 * accounts in /etc/passwd, every look-up would search that file, and the
 * benchmark would measure mostly that. The home of a user is below BENCH_HOMES.
 * As libnss_bench.so.2 it is named in a private nsswitch.conf. */
#include <errno.h>
#include <nss.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_UID 200000UL
#define USERS_MAX 100000UL

/* The fields of the entry, NUL after each: name, directory, "x", shell. */
static enum nss_status fill(struct passwd *entry, unsigned long number,
    char *buffer, size_t size, int *error)
{
	const char *homes = getenv("BENCH_HOMES");
	int n = snprintf(buffer, size, "bench%lu%c%s/bench%lu%cx%c/bin/sh",
	    number, 0, homes == NULL ? "" : homes, number, 0, 0);

	if (n < 0 || (size_t)n >= size) {
		*error = ERANGE;
		return NSS_STATUS_TRYAGAIN;
	}
	entry->pw_name = buffer;
	entry->pw_dir = buffer + strlen(buffer) + 1;
	entry->pw_passwd = entry->pw_dir + strlen(entry->pw_dir) + 1;
	entry->pw_shell = entry->pw_passwd + 2;
	entry->pw_gecos = entry->pw_passwd + 1; /* empty */
	entry->pw_uid = (uid_t)(FIRST_UID + number);
	entry->pw_gid = (gid_t)(FIRST_UID + number);
	return NSS_STATUS_SUCCESS;
}

enum nss_status _nss_bench_getpwnam_r(const char *name, struct passwd *entry,
    char *buffer, size_t size, int *error);
enum nss_status _nss_bench_getpwuid_r(uid_t uid, struct passwd *entry,
    char *buffer, size_t size, int *error);

enum nss_status _nss_bench_getpwnam_r(const char *name, struct passwd *entry,
    char *buffer, size_t size, int *error)
{
	unsigned long number;
	char *end;

	if (strncmp(name, "bench", 5) != 0 || name[5] < '0' || name[5] > '9')
		return NSS_STATUS_NOTFOUND;
	number = strtoul(name + 5, &end, 10);
	if (*end != 0 || number >= USERS_MAX)
		return NSS_STATUS_NOTFOUND;
	return fill(entry, number, buffer, size, error);
}

enum nss_status _nss_bench_getpwuid_r(uid_t uid, struct passwd *entry,
    char *buffer, size_t size, int *error)
{
	if (uid < FIRST_UID || uid >= FIRST_UID + USERS_MAX)
		return NSS_STATUS_NOTFOUND;
	return fill(entry, uid - FIRST_UID, buffer, size, error);
}
