#include "small_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace {

FileIdentity IdentityOf(const struct stat& found) {
  FileIdentity identity{};
  identity.device = found.st_dev;
  identity.inode = found.st_ino;
  identity.size = static_cast<uint64_t>(found.st_size);
  identity.modified_s = found.st_mtim.tv_sec;
  identity.modified_ns = found.st_mtim.tv_nsec;
  identity.changed_s = found.st_ctim.tv_sec;
  identity.changed_ns = found.st_ctim.tv_nsec;
  return identity;
}

int Open(const char* path) {
  int fd;
  do {
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

/** Up to its end, or `size` bytes; returns how many, or -1. */
ssize_t ReadAll(int fd, uint8_t* into, size_t size) {
  size_t filled = 0;
  while (filled < size) {
    const ssize_t count = read(fd, into + filled, size - filled);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return -1;
    if (count == 0) break;
    filled += static_cast<size_t>(count);
  }
  return static_cast<ssize_t>(filled);
}

SmallRead ReadOpened(int fd, uint8_t* into, size_t room, size_t* size,
                     FileIdentity* identity, const char** step) {
  struct stat found {};
  *step = "fstat";
  if (fstat(fd, &found) != 0) return SmallRead::kFailed;
  if (!S_ISREG(found.st_mode) || found.st_size < 0 ||
      static_cast<uint64_t>(found.st_size) > room) {
    return SmallRead::kUnfit;
  }
  *step = "read";
  const ssize_t count =
      ReadAll(fd, into, static_cast<size_t>(found.st_size));
  if (count < 0) return SmallRead::kFailed;
  *size = static_cast<size_t>(count);
  *identity = IdentityOf(found);
  return SmallRead::kRead;
}

}  // namespace

SmallRead ReadSmall(const char* path, uint8_t* into, size_t room, size_t* size,
                    FileIdentity* identity, const char** step) {
  *step = "open";
  const int fd = Open(path);
  if (fd < 0) return SmallRead::kFailed;
  const SmallRead read = ReadOpened(fd, into, room, size, identity, step);
  const int error = errno;
  close(fd);
  errno = error;
  return read;
}

bool IsStill(const char* path, const FileIdentity& identity) {
  struct stat found {};
  if (fstatat(AT_FDCWD, path, &found, AT_SYMLINK_NOFOLLOW) != 0) return false;
  const FileIdentity now = IdentityOf(found);
  return memcmp(&now, &identity, sizeof now) == 0;
}
