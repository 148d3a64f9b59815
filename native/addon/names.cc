#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "user_file.h"

bool RenameToNew(int directory, const std::string& from,
                 const std::string& to) {
  if (renameat2(directory, from.c_str(), directory, to.c_str(),
                RENAME_NOREPLACE) == 0) {
    return true;
  }
  // Some file systems have no such renaming, NFS among them.
  if (errno != EINVAL && errno != ENOSYS) return false;
  return linkat(directory, from.c_str(), directory, to.c_str(), 0) == 0 &&
         unlinkat(directory, from.c_str(), 0) == 0;
}

bool SyncNames(int directory, int file) {
  Descriptor listing;
  return (listing.Set(openat(directory, ".",
                             O_RDONLY | O_DIRECTORY | O_CLOEXEC))
              ? fsync(listing.get())
              : syncfs(file)) == 0;
}

void SetAside(const UserFile& file, const std::string& name,
              Outcome* outcome) {
  if (!file.IsStill(*outcome)) {
    outcome->Is("changed");
    return;
  }
  if (!RenameToNew(file.directory(), file.name(), name)) {
    if (errno == EEXIST) {
      outcome->Is("exists");
    } else {
      outcome->Fail("rename", errno);
    }
    return;
  }
  // If somebody put another file there meanwhile, it is renamed back.
  if (!file.Is(name, *outcome)) {
    RenameToNew(file.directory(), name, file.name());
    outcome->Is("changed");
    return;
  }
  if (!SyncNames(file.directory(), file.fd())) {
    outcome->Fail("sync", errno);
    return;
  }
  outcome->kind = "set-aside";
}
