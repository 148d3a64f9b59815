#include "user_file.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>

#include <cerrno>

namespace {

int OpenAt(int directory, const char* path, int flags, Links links) {
  open_how how{};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = links == Links::kFollowed
                    ? RESOLVE_NO_MAGICLINKS
                    : RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  long fd;
  do {
    fd = syscall(SYS_openat2, directory, path, &how, sizeof how);
  } while (fd < 0 && errno == EINTR);
  return static_cast<int>(fd);
}

/**
 * Opens the file of an O_PATH descriptor for reading, even if it was renamed.
 */
int Reopen(int fd) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  int opened;
  do {
    opened = open(link.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  } while (opened < 0 && errno == EINTR);
  return opened;
}

/** Where the kernel cannot tell, there is no encryption of this kind. */
bool IsEncrypted(int fd) {
  struct statx found {};
  return statx(fd, "", AT_EMPTY_PATH, 0, &found) == 0 &&
         (found.stx_attributes & STATX_ATTR_ENCRYPTED) != 0;
}

bool SameTime(const timespec& a, const timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool SameContents(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino &&
         a.st_size == b.st_size && SameTime(a.st_mtim, b.st_mtim);
}

/** Reads from the start until the end or a full buffer; false: see errno. */
bool ReadAll(int fd, SecretBytes* bytes) {
  size_t size = 0;
  while (size < bytes->capacity()) {
    const ssize_t count =
        pread(fd, bytes->data() + size, bytes->capacity() - size,
              static_cast<off_t>(size));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  bytes->Resize(size);
  return true;
}

}  // namespace

bool UserFile::OpenDirectory(const std::string& path, Outcome* outcome) {
  const size_t slash = path.rfind('/');
  const std::string parent = slash == 0 ? "/" : path.substr(0, slash);
  name_ = path.substr(slash + 1);
  if (!directory_.Set(OpenAt(AT_FDCWD, parent.c_str(),
                             O_PATH | O_DIRECTORY, links_))) {
    return errno == ENOENT ? outcome->Is("missing")
                           : outcome->Fail("directory", errno);
  }
  if (fstat(directory_.get(), &outcome->directory) != 0 ||
      fstatfs(directory_.get(), &outcome->directory_fs) != 0) {
    return outcome->Fail("directory", errno);
  }
  outcome->directory_encrypted = IsEncrypted(directory_.get());
  outcome->has_directory = true;
  return true;
}

bool UserFile::Open(const std::string& path, size_t max_bytes,
                    Outcome* outcome) {
  max_bytes_ = max_bytes;
  if (!OpenDirectory(path, outcome)) return false;
  struct stat link {};
  outcome->symlink = fstatat(directory_.get(), name_.c_str(), &link,
                             AT_SYMLINK_NOFOLLOW) == 0 &&
                     S_ISLNK(link.st_mode);
  Descriptor found;
  if (!found.Set(OpenAt(directory_.get(), name_.c_str(), O_PATH, links_))) {
    return errno == ENOENT ? outcome->Is("missing")
                           : outcome->Fail("open", errno);
  }
  if (fstat(found.get(), &outcome->file) != 0) {
    return outcome->Fail("stat", errno);
  }
  if (!S_ISREG(outcome->file.st_mode)) {
    return outcome->Is("unfit", "not-regular");
  }
  // A file that is gone or hidden here existed a moment ago, so it is never
  // "missing".
  if (!file_.Set(Reopen(found.get()))) return outcome->Fail("open", errno);
  return true;
}

bool UserFile::Read(Outcome* outcome) const {
  if (fstat(file_.get(), &outcome->file) != 0) {
    return outcome->Fail("stat", errno);
  }
  if (!S_ISREG(outcome->file.st_mode)) {
    return outcome->Is("unfit", "not-regular");
  }
  const auto size = static_cast<size_t>(outcome->file.st_size);
  if (size == 0) return outcome->Is("unfit", "empty");
  if (size > max_bytes_) return outcome->Is("unfit", "too-large");
  SecretBytes bytes(size + 1);
  if (!ReadAll(file_.get(), &bytes)) return outcome->Fail("read", errno);
  // Somebody is writing into it at this moment.
  if (bytes.size() != size) return outcome->Fail("read", EAGAIN);
  outcome->contents = std::move(bytes);
  outcome->kind = "read";
  return true;
}

bool UserFile::IsStill(const Outcome& read) const {
  struct stat now {};
  return fstatat(directory_.get(), name_.c_str(), &now, 0) == 0 &&
         SameTime(now.st_ctim, read.file.st_ctim) && Is(name_, read);
}

bool UserFile::Is(const std::string& name, const Outcome& read) const {
  struct stat now {};
  if (fstatat(directory_.get(), name.c_str(), &now, 0) != 0) return false;
  if (!SameContents(now, read.file)) return false;
  // The clock of a file system may stand still for some milliseconds.
  SecretBytes bytes(read.contents.size() + 1);
  return ReadAll(file_.get(), &bytes) && bytes == read.contents;
}
