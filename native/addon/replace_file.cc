#include <fcntl.h>
#include <sys/random.h>

#include <cerrno>
#include <mutex>

#include "user_file.h"

namespace {

constexpr mode_t kMode = 0400;
constexpr int kTriesForName = 16;
constexpr size_t kSuffixLength = 6;
constexpr size_t kMostAtOnce = 64;

/**
 * The files that this process is replacing. Threads of two users may work on
 * the same file. Between comparison and rename, only one of them may.
 */
class Claim {
 public:
  explicit Claim(const struct stat& file) : dev_(file.st_dev), ino_(file.st_ino) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Slot* free = nullptr;
    for (Slot& slot : slots_) {
      if (!slot.taken) free = &slot;
      if (slot.taken && slot.dev == dev_ && slot.ino == ino_) return;
    }
    if (free == nullptr) return;
    *free = Slot{true, dev_, ino_};
    slot_ = free;
  }
  ~Claim() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (slot_ != nullptr) slot_->taken = false;
  }
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;

  bool held() const { return slot_ != nullptr; }

 private:
  struct Slot {
    bool taken;
    dev_t dev;
    ino_t ino;
  };
  // Neither needs a destructor: a thread may outlive exit().
  static std::mutex mutex_;
  static Slot slots_[kMostAtOnce];

  const dev_t dev_;
  const ino_t ino_;
  Slot* slot_ = nullptr;
};

std::mutex Claim::mutex_;
Claim::Slot Claim::slots_[kMostAtOnce];

/**
 * A new file beside the old one; removed unless it was renamed over the old
 * one.
 */
class NewFile {
 public:
  explicit NewFile(const UserFile& old) : old_(old) {}
  ~NewFile() {
    if (named_) unlinkat(old_.directory(), name_.c_str(), 0);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  int fd() const { return fd_.get(); }

  /** "FILE~XXXXXX", as pam_google_authenticator names it. */
  bool Create() {
    for (int i = 0; i < kTriesForName; ++i) {
      if (!MakeName()) return false;
      if (fd_.Set(openat(
              old_.directory(), name_.c_str(),
              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kMode))) {
        named_ = true;
        return true;
      }
      if (errno != EEXIST && errno != EINTR) return false;
    }
    return false;
  }

  bool Write(const SecretBytes& contents) const {
    size_t written = 0;
    while (written < contents.size()) {
      const ssize_t count = write(fd(), contents.data() + written,
                                  contents.size() - written);
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return false;
      written += static_cast<size_t>(count);
    }
    return true;
  }

  bool TakeName() {
    if (renameat(old_.directory(), name_.c_str(), old_.directory(),
                 old_.name().c_str()) != 0) {
      return false;
    }
    named_ = false;
    return true;
  }

  /** The same, where nothing has the name. */
  bool TakeNewName() {
    if (!RenameToNew(old_.directory(), name_, old_.name())) return false;
    named_ = false;
    return true;
  }

 private:
  bool MakeName() {
    static const char kLetters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    unsigned char random[kSuffixLength];
    if (getrandom(random, sizeof random, 0) != sizeof random) return false;
    name_ = old_.name() + "~";
    for (const unsigned char byte : random) {
      name_ += kLetters[byte % (sizeof kLetters - 1)];
    }
    return true;
  }

  const UserFile& old_;
  Descriptor fd_;
  std::string name_;
  bool named_ = false;
};

bool WriteDurably(const NewFile& file, const SecretBytes& contents,
                  Outcome* outcome) {
  // A default ACL of the directory may have changed what open() asked for.
  if (fchmod(file.fd(), kMode) != 0) return outcome->Fail("create", errno);
  if (!file.Write(contents)) return outcome->Fail("write", errno);
  if (fsync(file.fd()) != 0) return outcome->Fail("sync", errno);
  struct stat written {};
  if (fstat(file.fd(), &written) != 0) return outcome->Fail("stat", errno);
  if (static_cast<size_t>(written.st_size) != contents.size()) {
    return outcome->Fail("write", EIO);
  }
  return true;
}

}  // namespace

void ReplaceFile(const UserFile& file, const SecretBytes& contents,
                 Outcome* outcome) {
  const Claim claim(outcome->file);
  if (!claim.held()) {
    outcome->Is("changed");
    return;
  }
  NewFile fresh(file);
  if (!fresh.Create()) {
    outcome->Fail("create", errno);
    return;
  }
  if (!WriteDurably(fresh, contents, outcome)) return;
  if (!file.IsStill(*outcome)) {
    outcome->Is("changed");
    return;
  }
  if (!fresh.TakeName()) {
    outcome->Fail("rename", errno);
    return;
  }
  if (!SyncNames(file.directory(), fresh.fd()) ||
      fstat(fresh.fd(), &outcome->file) != 0) {
    outcome->Fail("sync", errno);
    return;
  }
  outcome->kind = "replaced";
}

void CreateFile(const UserFile& place, const SecretBytes& contents,
                Outcome* outcome) {
  NewFile fresh(place);
  if (!fresh.Create()) {
    outcome->Fail("create", errno);
    return;
  }
  if (!WriteDurably(fresh, contents, outcome)) return;
  if (!fresh.TakeNewName()) {
    if (errno == EEXIST) {
      outcome->Is("exists");
    } else {
      outcome->Fail("rename", errno);
    }
    return;
  }
  if (!SyncNames(place.directory(), fresh.fd())) {
    outcome->Fail("sync", errno);
    return;
  }
  outcome->kind = "created";
}
