#include <cstring>
#include <new>

#include "exports.h"
#include "identity.h"
#include "os_error.h"
#include "own_thread.h"
#include "user_file.h"

namespace {

struct Request {
  Identity who;
  std::string path;
  size_t max_bytes;
};

Napi::String Decimal(Napi::Env env, unsigned long long number) {
  return Napi::String::New(env, std::to_string(number));
}

Napi::Object ShowId(Napi::Env env, const struct stat& found) {
  Napi::Object shown = Napi::Object::New(env);
  shown.Set("dev", Decimal(env, found.st_dev));
  shown.Set("ino", Decimal(env, found.st_ino));
  return shown;
}

/** The file system's own id, if it has one; it outlives the device number. */
std::string FileSystemId(const struct statfs& fs) {
  unsigned parts[2];
  static_assert(sizeof parts == sizeof fs.f_fsid);
  std::memcpy(parts, &fs.f_fsid, sizeof parts);
  return std::to_string(static_cast<unsigned long>(fs.f_type)) + ":" +
         std::to_string(parts[0]) + ":" + std::to_string(parts[1]);
}

Napi::Object ShowDirectory(Napi::Env env, const Outcome& outcome) {
  Napi::Object shown = ShowId(env, outcome.directory);
  shown.Set("fileSystem", FileSystemId(outcome.directory_fs));
  shown.Set("encrypted", outcome.directory_encrypted);
  return shown;
}

Napi::Object ShowFile(Napi::Env env, const struct stat& file) {
  constexpr long long kNanoseconds = 1000000000;
  constexpr mode_t kPermissions = 07777;
  Napi::Object shown = ShowId(env, file);
  shown.Set("mode", file.st_mode & kPermissions);
  shown.Set("uid", file.st_uid);
  shown.Set("gid", file.st_gid);
  shown.Set("size", static_cast<double>(file.st_size));
  shown.Set("mtimeNs", std::to_string(file.st_mtim.tv_sec * kNanoseconds +
                                      file.st_mtim.tv_nsec));
  return shown;
}

/** Reads a file as its user. */
class Reading : public Errand {
 public:
  Reading(Napi::Env env, Request request)
      : request_(std::move(request)), deferred_(env) {}

  Napi::Promise Promise() const { return deferred_.Promise(); }

  void Run() override {
    try {
      const int error = TakeIdentity(request_.who);
      if (error != 0) {
        outcome_.Fail("identity", error);
      } else {
        Act();
      }
    } catch (const std::bad_alloc&) {
      outcome_.Fail("memory", ENOMEM);
    }
  }

  void Settle(Napi::Env env) override {
    try {
      deferred_.Resolve(Show(env));
    } catch (const Napi::Error& error) {
      deferred_.Reject(error.Value());
    }
    outcome_.contents.Wipe();
  }

 protected:
  virtual void Act() {
    UserFile file;
    if (Open(&file)) file.Read(&outcome_);
  }

  bool Open(UserFile* file) {
    return file->Open(request_.path, request_.max_bytes, &outcome_);
  }

  /** Opens and reads a file; the outcome says why not. */
  bool OpenIfHolds(const SecretBytes& expected, UserFile* file) {
    if (!Open(file) || !file->Read(&outcome_)) return false;
    return outcome_.contents == expected || outcome_.Is("changed");
  }

  bool OpenPlace(UserFile* place) {
    return place->OpenPlace(request_.path, &outcome_);
  }

  Outcome outcome_;

 private:
  Napi::Object Show(Napi::Env env) const {
    const std::string kind = outcome_.kind;
    Napi::Object shown = Napi::Object::New(env);
    shown.Set("kind", kind);
    if (kind == "unfit") shown.Set("why", outcome_.why);
    if (kind == "failed") {
      shown.Set("step", outcome_.step);
      shown.Set("code", ErrnoName(outcome_.error));
    }
    if (kind == "read") {
      shown.Set("contents",
                Napi::Buffer<uint8_t>::Copy(env, outcome_.contents.data(),
                                            outcome_.contents.size()));
    }
    if (kind == "read" || kind == "replaced") {
      shown.Set("file", ShowFile(env, outcome_.file));
    }
    if (kind == "read" || kind == "missing") {
      shown.Set("symlink", outcome_.symlink);
    }
    if (kind == "missing" && !outcome_.has_directory) {
      shown.Set("directory", env.Null());
    } else if (kind == "read" || kind == "missing" || kind == "replaced") {
      shown.Set("directory", ShowDirectory(env, outcome_));
    }
    return shown;
  }

  const Request request_;
  Napi::Promise::Deferred deferred_;
};

/** Replaces a file as its user, if it holds what is expected. */
class Replacing : public Reading {
 public:
  Replacing(Napi::Env env, Request request, SecretBytes expected,
            SecretBytes contents)
      : Reading(env, std::move(request)),
        expected_(std::move(expected)),
        contents_(std::move(contents)) {}

 protected:
  void Act() override {
    UserFile file;
    if (OpenIfHolds(expected_, &file)) ReplaceFile(file, contents_, &outcome_);
  }

 private:
  const SecretBytes expected_;
  const SecretBytes contents_;
};

/**
 * Reads a file as the user of this process, without following symbolic links.
 */
class PlainReading : public Reading {
 public:
  using Reading::Reading;

  void Run() override {
    try {
      UserFile file(Links::kRefused);
      if (Open(&file)) file.Read(&outcome_);
    } catch (const std::bad_alloc&) {
      outcome_.Fail("memory", ENOMEM);
    }
  }
};

/** Makes a file as its user, where there is none. */
class Creating : public Reading {
 public:
  Creating(Napi::Env env, Request request, SecretBytes contents)
      : Reading(env, std::move(request)), contents_(std::move(contents)) {}

 protected:
  void Act() override {
    UserFile place;
    if (OpenPlace(&place)) CreateFile(place, contents_, &outcome_);
  }

 private:
  const SecretBytes contents_;
};

/** Gives a file another name as its user, if it holds what is expected. */
class SettingAside : public Reading {
 public:
  SettingAside(Napi::Env env, Request request, SecretBytes expected,
               std::string name)
      : Reading(env, std::move(request)),
        expected_(std::move(expected)),
        name_(std::move(name)) {}

 protected:
  void Act() override {
    UserFile file;
    if (OpenIfHolds(expected_, &file)) SetAside(file, name_, &outcome_);
  }

 private:
  const SecretBytes expected_;
  const std::string name_;
};

Request RequestFrom(const Napi::CallbackInfo& info) {
  return Request{
      Identity{info[0].As<Napi::String>(), info[1].As<Napi::Number>().Uint32Value(),
               info[2].As<Napi::Number>().Uint32Value()},
      info[3].As<Napi::String>(),
      info[4].As<Napi::Number>().Uint32Value(),
  };
}

SecretBytes BytesFrom(Napi::Value value) {
  const auto array = value.As<Napi::Uint8Array>();
  return SecretBytes(array.Data(), array.ByteLength());
}

Napi::Value Start(Napi::Env env, std::unique_ptr<Reading> errand) {
  const Napi::Promise promise = errand->Promise();
  RunOnOwnThread(env, std::move(errand));
  return promise;
}

}  // namespace

Napi::Value ReadFileAs(const Napi::CallbackInfo& info) {
  return Start(info.Env(),
               std::make_unique<Reading>(info.Env(), RequestFrom(info)));
}

Napi::Value ReadPlainFile(const Napi::CallbackInfo& info) {
  Request request{};
  request.path = info[0].As<Napi::String>();
  request.max_bytes = info[1].As<Napi::Number>().Uint32Value();
  return Start(info.Env(), std::make_unique<PlainReading>(info.Env(),
                                                          std::move(request)));
}

Napi::Value ReplaceFileAs(const Napi::CallbackInfo& info) {
  return Start(info.Env(), std::make_unique<Replacing>(
                               info.Env(), RequestFrom(info),
                               BytesFrom(info[5]), BytesFrom(info[6])));
}

Napi::Value CreateFileAs(const Napi::CallbackInfo& info) {
  return Start(info.Env(),
               std::make_unique<Creating>(info.Env(), RequestFrom(info),
                                          BytesFrom(info[5])));
}

Napi::Value SetFileAsideAs(const Napi::CallbackInfo& info) {
  return Start(info.Env(), std::make_unique<SettingAside>(
                               info.Env(), RequestFrom(info),
                               BytesFrom(info[5]),
                               info[6].As<Napi::String>()));
}
