#include "exports.h"
#include "hotp_window.h"

/** hotpValues(hash, key, first, count, digits, into) */
void HotpValuesInto(const Napi::CallbackInfo& info) {
  const auto key = info[1].As<Napi::Uint8Array>();
  auto into = info[5].As<Napi::Uint8Array>();
  HotpWindow window{};
  window.hash = static_cast<HotpHash>(info[0].As<Napi::Number>().Int32Value());
  window.key = key.Data();
  window.key_size = key.ByteLength();
  window.first = info[2].As<Napi::Number>().Int64Value();
  window.count = info[3].As<Napi::Number>().Uint32Value();
  window.digits = info[4].As<Napi::Number>().Uint32Value();
  // The caller has checked the size, but the output must fit in any case.
  if (into.ByteLength() < window.count * window.digits) return;
  HotpValues(window, into.Data());
}
