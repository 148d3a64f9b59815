#pragma once

#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <string>

#include "secret_bytes.h"

/** Closes what it holds. */
class Descriptor {
 public:
  Descriptor() = default;
  ~Descriptor() { Set(-1); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }
  bool Set(int fd) {
    if (fd_ >= 0) close(fd_);
    fd_ = fd;
    return fd >= 0;
  }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_ = -1;
};

/** The result of reading or replacing a file. */
struct Outcome {
  /**
   * One of "read", "replaced", "created", "set-aside", "exists", "missing",
   * "changed", "unfit", "failed".
   */
  const char* kind = "failed";
  /** Of "unfit": "not-regular", "empty" or "too-large". */
  const char* why = nullptr;
  /** Of "failed": what failed, and its errno value. */
  const char* step = "start";
  int error = 0;

  /** Of "read". */
  SecretBytes contents;
  /** Of "read" and "replaced". */
  struct stat file{};
  /** The name is a symbolic link; of "read" and "missing". */
  bool symlink = false;
  /** The directory that holds the name, once it has been opened. */
  bool has_directory = false;
  struct stat directory{};
  struct statfs directory_fs{};
  /** Its names may be unreadable while a key is missing (fscrypt). */
  bool directory_encrypted = false;

  bool Fail(const char* failed_step, int failed_error) {
    kind = "failed";
    step = failed_step;
    error = failed_error;
    return false;
  }
  bool Is(const char* other_kind, const char* reason = nullptr) {
    kind = other_kind;
    why = reason;
    return false;
  }
};

/** Whether symbolic links on the way to a file are followed. */
enum class Links { kFollowed, kRefused };

/** A regular file of a user, opened with the identity of the calling thread. */
class UserFile {
 public:
  explicit UserFile(Links links = Links::kFollowed) : links_(links) {}

  /**
   * Opens the directory, then the file in it. Symbolic links are followed if
   * requested, but never those of /proc, which bypass permissions. Only regular
   * files are opened, never a FIFO or device.
   *
   * Returns whether it is open; if not, `outcome` says why.
   */
  bool Open(const std::string& path, size_t max_bytes, Outcome* outcome);

  /**
   * Opens only the directory, to make a file in it; returns the same.
   */
  bool OpenPlace(const std::string& path, Outcome* outcome) {
    return OpenDirectory(path, outcome);
  }

  /** Reads all of it into `outcome`; returns the same. */
  bool Read(Outcome* outcome) const;

  /** Whether the name leads to the same file still, with these contents. */
  bool IsStill(const Outcome& read) const;

  /** Whether another name in the directory leads to it, with these contents. */
  bool Is(const std::string& name, const Outcome& read) const;

  int fd() const { return file_.get(); }
  /** Opened with O_PATH. */
  int directory() const { return directory_.get(); }
  const std::string& name() const { return name_; }

 private:
  bool OpenDirectory(const std::string& path, Outcome* outcome);

  const Links links_;
  Descriptor directory_;
  Descriptor file_;
  std::string name_;
  size_t max_bytes_ = 0;
};

/**
 * Replaces the read `file` by `contents`. A new file, mode 0400, takes its
 * name; after an error only the old file remains.
 */
void ReplaceFile(const UserFile& file, const SecretBytes& contents,
                 Outcome* outcome);

/**
 * Makes a file of mode 0400 with `contents` in the opened place, where there
 * is none.
 */
void CreateFile(const UserFile& place, const SecretBytes& contents,
                Outcome* outcome);

/**
 * Renames the read `file` within its directory, to an unused name.
 */
void SetAside(const UserFile& file, const std::string& name, Outcome* outcome);

/** Renames in one directory, and never over something: else EEXIST. */
bool RenameToNew(int directory, const std::string& from, const std::string& to);

/**
 * Makes a change of names in a directory durable. One that the user may search
 * but not read cannot be opened: then the whole file system is synced.
 */
bool SyncNames(int directory, int file);
