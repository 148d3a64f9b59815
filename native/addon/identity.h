#pragma once

#include <sys/types.h>

#include <string>

/** Whom a thread shall be for the file system. */
struct Identity {
  /** The canonical name: its supplementary groups are taken too. */
  std::string user;
  uid_t uid;
  gid_t gid;
};

/**
 * Makes the calling thread, and only this one, that user for the file system:
 * uid, gid, supplementary groups, and for all but root no capabilities. There
 * is no way back; the thread is for this and then ends.
 *
 * What the caller says is compared with the passwd database: name, uid and gid
 * must be one entry. So nobody gets a group that is not theirs, and no thread
 * becomes somebody whom this machine does not know, such as a container's user.
 *
 * A process that is not root is only ever itself.
 *
 * Returns 0, or an errno value. Then the thread must not touch any file: who
 * it is now is not known.
 */
int TakeIdentity(const Identity& who);
