#include "hotp_window.h"

#include "sha.h"

namespace {

/** RFC 2104: the key is hashed in once, for all messages. */
template <typename H>
class Hmac {
 public:
  Hmac(const uint8_t* key, size_t size) {
    uint8_t pad[H::kBlock] = {};
    if (size > H::kBlock) {
      Hash<H> hash;
      hash.Update(key, size);
      hash.Final(pad);
    } else if (size > 0) {
      memcpy(pad, key, size);
    }
    for (uint8_t& byte : pad) byte ^= 0x36;
    inner_.Update(pad, sizeof pad);
    for (uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
    outer_.Update(pad, sizeof pad);
    explicit_bzero(pad, sizeof pad);
  }

  /** Writes kDigest bytes. */
  void Of(const uint8_t* message, size_t size, uint8_t* mac) const {
    Hash<H> inner = inner_, outer = outer_;
    inner.Update(message, size);
    inner.Final(mac);
    outer.Update(mac, H::kDigest);
    outer.Final(mac);
  }

 private:
  Hash<H> inner_, outer_;
};

/** Section 5.3: dynamic truncation. */
uint32_t Truncated(const uint8_t* mac, size_t size) {
  const uint8_t* at = mac + (mac[size - 1] & 0xf);
  return (static_cast<uint32_t>(at[0]) << 24 |
          static_cast<uint32_t>(at[1]) << 16 |
          static_cast<uint32_t>(at[2]) << 8 | at[3]) &
         0x7fffffff;
}

template <typename H>
void Values(const HotpWindow& window, uint8_t* values) {
  const Hmac<H> hmac(window.key, window.key_size);
  uint8_t mac[H::kDigest];
  for (size_t i = 0; i < window.count; i++) {
    const int64_t counter = window.first + static_cast<int64_t>(i);
    const auto moving = static_cast<uint64_t>(counter < 0 ? 0 : counter);
    uint8_t message[8]; // section 5.2: the high-order byte first
    for (size_t byte = 0; byte < sizeof message; byte++) {
      message[byte] = static_cast<uint8_t>(moving >> (56 - 8 * byte));
    }
    hmac.Of(message, sizeof message, mac);
    uint32_t value = Truncated(mac, sizeof mac);
    for (size_t place = window.digits; place-- > 0; value /= 10) {
      values[place] = static_cast<uint8_t>('0' + value % 10);
    }
    values += window.digits;
  }
  explicit_bzero(mac, sizeof mac);
}

}  // namespace

void HotpValues(const HotpWindow& window, uint8_t* values) {
  switch (window.hash) {
    case HotpHash::kSha1:
      return Values<Sha1>(window, values);
    case HotpHash::kSha256:
      return Values<Sha256>(window, values);
    case HotpHash::kSha512:
      return Values<Sha512>(window, values);
  }
}
