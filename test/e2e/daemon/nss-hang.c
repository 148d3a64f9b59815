/*
 * A name service that hangs, as if its server did not answer. While the file
 * HANG exists, look-ups of groups, and of users whose name begins with "slow-",
 * wait. Otherwise it knows nobody.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#ifndef HANG
#define HANG "/run/nss-hang"
#endif

#define TICK_US 20000

static enum nss_status wait_for_server(int *error)
{
	while (access(HANG, F_OK) == 0)
		usleep(TICK_US);
	*error = ENOENT;
	return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_hang_getpwnam_r(const char *name, struct passwd *entry,
    char *room, size_t size, int *error)
{
	(void)entry;
	(void)room;
	(void)size;
	if (strncmp(name, "slow-", strlen("slow-")) == 0)
		return wait_for_server(error);
	*error = ENOENT;
	return NSS_STATUS_NOTFOUND;
}

enum nss_status _nss_hang_initgroups_dyn(const char *name, gid_t group,
    long *start, long *size, gid_t **groups, long limit, int *error)
{
	(void)name;
	(void)group;
	(void)start;
	(void)size;
	(void)groups;
	(void)limit;
	return wait_for_server(error);
}
