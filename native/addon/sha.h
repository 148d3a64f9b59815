#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

// SHA-1, SHA-256 and SHA-512 (FIPS 180-4) as far as HMAC needs them. They are
// our own: Node's OpenSSL is linked in differently from build to build, and
// takes longer to set up an HMAC than to compute it.

/** One compression function: its words, its sizes, its first state. */
struct Sha1 {
  using Word = uint32_t;
  static constexpr size_t kBlock = 64, kDigest = 20, kLength = 8;
  using State = std::array<Word, 5>;
  static constexpr State kFirst = {0x67452301, 0xefcdab89, 0x98badcfe,
                                   0x10325476, 0xc3d2e1f0};
  static void Compress(State* state, const uint8_t* block);
};

struct Sha256 {
  using Word = uint32_t;
  static constexpr size_t kBlock = 64, kDigest = 32, kLength = 8;
  using State = std::array<Word, 8>;
  static constexpr State kFirst = {0x6a09e667, 0xbb67ae85, 0x3c6ef372,
                                   0xa54ff53a, 0x510e527f, 0x9b05688c,
                                   0x1f83d9ab, 0x5be0cd19};
  static void Compress(State* state, const uint8_t* block);
};

struct Sha512 {
  using Word = uint64_t;
  static constexpr size_t kBlock = 128, kDigest = 64, kLength = 16;
  using State = std::array<Word, 8>;
  static constexpr State kFirst = {
      0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
      0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
      0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
  static void Compress(State* state, const uint8_t* block);
};

/** Hashes bytes as they come. A copy goes on from the same place. */
template <typename H>
class Hash {
 public:
  ~Hash() {
    explicit_bzero(state_.data(), sizeof state_);
    explicit_bzero(block_, sizeof block_);
  }

  void Update(const uint8_t* bytes, size_t size) {
    total_ += size;
    while (size > 0) {
      const size_t fits = H::kBlock - used_;
      const size_t count = size < fits ? size : fits;
      memcpy(block_ + used_, bytes, count);
      used_ += count;
      bytes += count;
      size -= count;
      if (used_ == H::kBlock) Compress();
    }
  }

  /** Ends it, and writes kDigest bytes. */
  void Final(uint8_t* digest) {
    const uint64_t bits = static_cast<uint64_t>(total_) * 8;
    block_[used_++] = 0x80;
    if (used_ > H::kBlock - H::kLength) {
      memset(block_ + used_, 0, H::kBlock - used_);
      Compress();
    }
    memset(block_ + used_, 0, H::kBlock - used_);
    for (size_t i = 0; i < sizeof bits; i++) {
      block_[H::kBlock - 1 - i] = static_cast<uint8_t>(bits >> (8 * i));
    }
    Compress();
    for (size_t i = 0; i < H::kDigest; i++) {
      constexpr size_t kWord = sizeof(typename H::Word);
      digest[i] = static_cast<uint8_t>(state_[i / kWord] >>
                                       (8 * (kWord - 1 - i % kWord)));
    }
  }

 private:
  void Compress() {
    H::Compress(&state_, block_);
    used_ = 0;
  }

  typename H::State state_ = H::kFirst;
  uint8_t block_[H::kBlock] = {};
  size_t used_ = 0;
  size_t total_ = 0;
};
