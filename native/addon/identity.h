#pragma once

#include <sys/types.h>

#include <string>

/** The user that a thread becomes for the file system. */
struct Identity {
  /** The canonical name: its supplementary groups are taken too. */
  std::string user;
  uid_t uid;
  gid_t gid;
};

/**
 * Makes the calling thread, and only this one, that user for the file system:
 * uid, gid, supplementary groups, and for all but root no capabilities. This
 * cannot be undone; the thread ends after its work.
 *
 * Name, uid and gid must be one entry of the passwd database. So nobody gets a
 * foreign group, and no thread becomes a user who is unknown to this machine,
 * such as a container's.
 *
 * A process that is not root can only keep its own identity.
 *
 * Returns 0, or an errno value. After an error the thread must not touch any
 * file, because its identity is unknown.
 */
int TakeIdentity(const Identity& who);
