/* Accounts for tests, without an entry in anybody's /etc/passwd: preloaded
 * into a PAM client and the daemon, it adds to the passwd database a user
 * `e2e-UID` for every number UID. Their homes are below E2E_HOMES, if that is
 * set. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "e2e-"
#define NAME_SIZE 32
#define HOME_SIZE 256
#define LARGEST_UID 0xFFFFFFFEUL

typedef int by_name(const char *, struct passwd *, char *, size_t,
    struct passwd **);

static int give(unsigned long uid, struct passwd *entry, char *room,
    size_t size, struct passwd **result)
{
	static char none[] = "x", shell[] = "/bin/false";
	const char *homes = getenv("E2E_HOMES");
	char *home = room + NAME_SIZE;

	if (size < NAME_SIZE + HOME_SIZE)
		return ERANGE;
	snprintf(room, NAME_SIZE, PREFIX "%lu", uid);
	if (homes == NULL)
		strcpy(home, "/nonexistent");
	else
		snprintf(home, HOME_SIZE, "%s/" PREFIX "%lu", homes, uid);
	*entry = (struct passwd){ .pw_name = room, .pw_passwd = none,
		.pw_uid = (uid_t)uid, .pw_gid = (gid_t)uid, .pw_gecos = none,
		.pw_dir = home, .pw_shell = shell };
	*result = entry;
	return 0;
}

int getpwnam_r(const char *name, struct passwd *entry, char *room,
    size_t size, struct passwd **result)
{
	by_name *real = NULL;
	unsigned long uid;
	char *end;

	if (strncmp(name, PREFIX, strlen(PREFIX)) == 0) {
		uid = strtoul(name + strlen(PREFIX), &end, 10);
		if (*end == 0 && uid > 0 && uid <= LARGEST_UID)
			return give(uid, entry, room, size, result);
	}
	*(void **)&real = dlsym(RTLD_NEXT, "getpwnam_r");
	return real(name, entry, room, size, result);
}
