#include <pwd.h>
#include <sys/types.h>

#include <cerrno>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "exports.h"
#include "os_error.h"
#include "own_thread.h"

namespace {

// An entry is a line of a few hundred bytes; a name service that needs more
// than the bound is broken or hostile.
constexpr size_t kFirstBuffer = 1024;
constexpr size_t kLargestBuffer = 1024 * 1024;

struct Entry {
  std::string name, home, shell;
  uid_t uid;
  gid_t gid;
};

/** One look-up: a name service may block. */
class LookUp : public Errand {
 public:
  LookUp(Napi::Env env, std::string name)
      : deferred_(env), name_(std::move(name)) {}
  LookUp(Napi::Env env, uid_t uid) : deferred_(env), uid_(uid) {}

  Napi::Value Promise() const { return deferred_.Promise(); }

  void Run() override {
    try {
      Find();
    } catch (const std::bad_alloc&) {
      error_ = ENOMEM;
    }
  }

  void Settle(Napi::Env env) override {
    if (error_ != 0) {
      deferred_.Reject(OsError(env, error_, Syscall()).Value());
    } else if (!entry_) {
      deferred_.Resolve(env.Undefined());
    } else {
      Napi::Object result = Napi::Object::New(env);
      result.Set("name", entry_->name);
      result.Set("uid", entry_->uid);
      result.Set("gid", entry_->gid);
      result.Set("home", entry_->home);
      result.Set("shell", entry_->shell);
      deferred_.Resolve(result);
    }
  }

 private:
  void Find() {
    std::vector<char> buffer(kFirstBuffer);
    passwd entry{};
    passwd* found = nullptr;
    while ((error_ = Ask(&entry, &buffer, &found)) != 0) {
      if (error_ == EINTR) continue;
      if (error_ != ERANGE || buffer.size() >= kLargestBuffer) break;
      buffer.resize(buffer.size() * 2);
    }
    // getpwnam(3): these two also say "not found".
    if (error_ == ENOENT || error_ == ESRCH) error_ = 0;
    if (error_ == 0 && found != nullptr) {
      entry_ = Entry{Text(found->pw_name), Text(found->pw_dir),
                     Text(found->pw_shell), found->pw_uid, found->pw_gid};
    }
  }

  static std::string Text(const char* text) { return text ? text : ""; }

  const char* Syscall() const { return name_ ? "getpwnam_r" : "getpwuid_r"; }

  int Ask(passwd* entry, std::vector<char>* buffer, passwd** found) const {
    return name_ ? getpwnam_r(name_->c_str(), entry, buffer->data(),
                              buffer->size(), found)
                 : getpwuid_r(uid_, entry, buffer->data(), buffer->size(),
                              found);
  }

  Napi::Promise::Deferred deferred_;
  const std::optional<std::string> name_;
  const uid_t uid_ = 0;
  int error_ = 0;
  std::optional<Entry> entry_;
};

Napi::Value Begin(Napi::Env env, std::unique_ptr<LookUp> work) {
  Napi::Value promise = work->Promise();
  RunOnOwnThread(env, std::move(work));
  return promise;
}

}  // namespace

Napi::Value LookUpUser(const Napi::CallbackInfo& info) {
  const std::string name = info[0].As<Napi::String>();
  return Begin(info.Env(), std::make_unique<LookUp>(info.Env(), name));
}

Napi::Value LookUpUid(const Napi::CallbackInfo& info) {
  const uid_t uid = info[0].As<Napi::Number>().Uint32Value();
  return Begin(info.Env(), std::make_unique<LookUp>(info.Env(), uid));
}
