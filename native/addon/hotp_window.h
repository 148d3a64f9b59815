#pragma once

#include <cstddef>
#include <cstdint>

/** The hash functions of RFC 6238, section 1.2. */
enum class HotpHash { kSha1, kSha256, kSha512 };

/** The values of RFC 4226 to compute. */
struct HotpWindow {
  HotpHash hash;
  const uint8_t* key;
  size_t key_size;
  /**
   * The first counter. Negative ones are computed as zero, which costs the
   * same.
   */
  int64_t first;
  size_t count;
  /** 1 to 9. */
  size_t digits;
};

/**
 * The HOTP values of a window, as ASCII digits one after the other:
 * `count * digits` bytes. Each costs the same. Intermediate values are wiped.
 */
void HotpValues(const HotpWindow& window, uint8_t* values);
