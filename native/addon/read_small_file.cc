#include <cerrno>
#include <cstring>
#include <string>

#include "exports.h"
#include "os_error.h"
#include "small_file.h"

namespace {

constexpr int kUnfit = -1;

/** The state of a file as bytes, which JavaScript only stores. */
bool HasRoom(const Napi::Uint8Array& bytes) {
  return bytes.ByteLength() == sizeof(FileIdentity);
}

}  // namespace

/** readSmallFile(path, into, identity): how many bytes, or -1: unfit. */
Napi::Value ReadSmallFile(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>();
  auto into = info[1].As<Napi::Uint8Array>();
  auto state = info[2].As<Napi::Uint8Array>();
  FileIdentity identity{};
  size_t size = 0;
  const char* step = "";
  if (!HasRoom(state)) return Napi::Number::New(info.Env(), kUnfit);
  switch (ReadSmall(path.c_str(), into.Data(), into.ByteLength(), &size,
                    &identity, &step)) {
    case SmallRead::kFailed:
      throw OsError(info.Env(), errno, step);
    case SmallRead::kUnfit:
      return Napi::Number::New(info.Env(), kUnfit);
    case SmallRead::kRead:
      memcpy(state.Data(), &identity, sizeof identity);
      return Napi::Number::New(info.Env(), static_cast<double>(size));
  }
  return Napi::Number::New(info.Env(), kUnfit);
}

/** isSmallFileStill(path, identity) */
Napi::Value IsSmallFileStill(const Napi::CallbackInfo& info) {
  const std::string path = info[0].As<Napi::String>();
  const auto state = info[1].As<Napi::Uint8Array>();
  FileIdentity identity{};
  if (!HasRoom(state)) return Napi::Boolean::New(info.Env(), false);
  memcpy(&identity, state.Data(), sizeof identity);
  return Napi::Boolean::New(info.Env(), IsStill(path.c_str(), identity));
}
