#include <grp.h>
#include <sys/types.h>

#include <cerrno>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "exports.h"
#include "os_error.h"
#include "own_thread.h"

namespace {

constexpr size_t kFirstGroups = 64;
// More groups than the kernel lets a process have; an entry of a group may
// list many members.
constexpr int kMostGroups = 65536;
constexpr size_t kFirstBuffer = 4096;
constexpr size_t kLargestBuffer = 4 * 1024 * 1024;

/** One look-up: a name service may block. */
class GroupsLookUp : public Errand {
 public:
  GroupsLookUp(Napi::Env env, std::string name, gid_t gid)
      : deferred_(env), name_(std::move(name)), gid_(gid) {}

  Napi::Value Promise() const { return deferred_.Promise(); }

  void Run() override {
    try {
      Ask();
    } catch (const std::bad_alloc&) {
      error_ = ENOMEM;
    }
  }

  void Settle(Napi::Env env) override {
    if (error_ != 0) {
      deferred_.Reject(OsError(env, error_, "getgrouplist").Value());
      return;
    }
    Napi::Array result = Napi::Array::New(env, names_.size());
    for (size_t i = 0; i < names_.size(); i++) {
      result.Set(static_cast<uint32_t>(i), Napi::String::New(env, names_[i]));
    }
    deferred_.Resolve(result);
  }

 private:
  void Ask() {
    std::vector<gid_t> gids(kFirstGroups);
    int count = static_cast<int>(gids.size());
    while (getgrouplist(name_.c_str(), gid_, gids.data(), &count) < 0) {
      if (count <= static_cast<int>(gids.size()) || count > kMostGroups) {
        error_ = ERANGE;
        return;
      }
      gids.resize(count);
    }
    gids.resize(count);
    for (const gid_t gid : gids) {
      if (!AddName(gid)) return;
    }
  }

  // Rules cannot name a group without a name.
  bool AddName(gid_t gid) {
    std::vector<char> buffer(kFirstBuffer);
    group entry{};
    group* found = nullptr;
    for (;;) {
      const int rc =
          getgrgid_r(gid, &entry, buffer.data(), buffer.size(), &found);
      if (rc == 0 || rc == ENOENT || rc == ESRCH) break;
      if (rc == EINTR) continue;
      if (rc != ERANGE || buffer.size() >= kLargestBuffer) {
        error_ = rc;
        return false;
      }
      buffer.resize(buffer.size() * 2);
    }
    if (found != nullptr) names_.emplace_back(found->gr_name);
    return true;
  }

  Napi::Promise::Deferred deferred_;
  const std::string name_;
  const gid_t gid_;
  int error_ = 0;
  std::vector<std::string> names_;
};

}  // namespace

Napi::Value GroupsOf(const Napi::CallbackInfo& info) {
  auto work = std::make_unique<GroupsLookUp>(
      info.Env(), info[0].As<Napi::String>(),
      info[1].As<Napi::Number>().Uint32Value());
  Napi::Value promise = work->Promise();
  RunOnOwnThread(info.Env(), std::move(work));
  return promise;
}
