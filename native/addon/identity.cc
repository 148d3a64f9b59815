#include "identity.h"

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

namespace {

// The functions of glibc with these names change all threads, or hide whether
// it worked. On old 32-bit machines the plain numbers are for 16-bit ids.
#ifdef SYS_setfsuid32
constexpr long kSetFsUid = SYS_setfsuid32;
constexpr long kSetFsGid = SYS_setfsgid32;
constexpr long kSetGroups = SYS_setgroups32;
constexpr long kGetGroups = SYS_getgroups32;
#else
constexpr long kSetFsUid = SYS_setfsuid;
constexpr long kSetFsGid = SYS_setfsgid;
constexpr long kSetGroups = SYS_setgroups;
constexpr long kGetGroups = SYS_getgroups;
#endif

constexpr uid_t kRoot = 0;
constexpr size_t kFirstBuffer = 1024;
constexpr size_t kLargestBuffer = 1024 * 1024;
constexpr size_t kFirstGroups = 64;
constexpr size_t kMostGroups = 65536;  // NGROUPS_MAX

struct Entry {
  bool found;
  uid_t uid;
  gid_t gid;
};

/** Asks the passwd database. Returns 0 also when there is no entry. */
int LookUp(const char* user, Entry* entry) {
  std::vector<char> buffer(kFirstBuffer);
  passwd record{};
  passwd* found = nullptr;
  int error;
  while ((error = getpwnam_r(user, &record, buffer.data(), buffer.size(),
                             &found)) != 0) {
    if (error == EINTR) continue;
    if (error != ERANGE || buffer.size() >= kLargestBuffer) break;
    buffer.resize(buffer.size() * 2);
  }
  // getpwnam(3): these two also say "not found".
  if (error != 0 && error != ENOENT && error != ESRCH) return error;
  *entry = found == nullptr ? Entry{false, 0, 0}
                            : Entry{true, found->pw_uid, found->pw_gid};
  return 0;
}

int FindGroups(const Identity& who, std::vector<gid_t>* groups) {
  Entry entry{};
  const int error = LookUp(who.user.c_str(), &entry);
  if (error != 0) return error;
  if (!entry.found || entry.uid != who.uid || entry.gid != who.gid) {
    return EPERM;
  }
  groups->resize(kFirstGroups);
  for (;;) {
    int count = static_cast<int>(groups->size());
    if (getgrouplist(who.user.c_str(), who.gid, groups->data(), &count) >= 0) {
      groups->resize(static_cast<size_t>(count));
      return 0;
    }
    if (groups->size() >= kMostGroups) return ERANGE;
    groups->resize(groups->size() * 2);
  }
}

int TakeGroups(std::vector<gid_t>* groups) {
  if (syscall(kSetGroups, groups->size(), groups->data()) != 0) return errno;
  std::vector<gid_t> taken(groups->size());
  const long count = syscall(kGetGroups, taken.size(), taken.data());
  if (count != static_cast<long>(groups->size())) return EPERM;
  std::sort(groups->begin(), groups->end());
  std::sort(taken.begin(), taken.end());
  return taken == *groups ? 0 : EPERM;
}

// setfsuid(2) reports no errors: a call with an invalid id returns the one that
// is in force.
bool TakeFsId(long number, unsigned id) {
  syscall(number, id);
  return static_cast<unsigned>(syscall(number, -1)) == id;
}

int DropCapabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capset, &header, none) != 0) return errno;
  __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = {};
  if (syscall(SYS_capget, &header, now) != 0) return errno;
  for (const auto& word : now) {
    if (word.effective != 0 || word.permitted != 0) return EPERM;
  }
  return 0;
}

}  // namespace

int TakeIdentity(const Identity& who) {
  if (geteuid() != kRoot) {
    return who.uid == geteuid() && TakeFsId(kSetFsUid, who.uid) ? 0 : EPERM;
  }
  std::vector<gid_t> groups;
  int error = FindGroups(who, &groups);
  if (error != 0) return error;
  error = TakeGroups(&groups);
  if (error != 0) return error;
  if (!TakeFsId(kSetFsGid, who.gid)) return EPERM;
  if (!TakeFsId(kSetFsUid, who.uid)) return EPERM;
  return who.uid == kRoot ? 0 : DropCapabilities();
}
