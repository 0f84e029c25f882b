#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/base/rng.hpp"
#include "core/cache/key.hpp"

namespace aetherflow {
namespace {

/// Computed with OpenSSL: the bytes 05 00 00 00 "hello" under the key 00 01 … 0f.
TEST(CacheKeys, HashIsSipHashOf128Bits) {
  const CacheKey secret{0x0706050403020100ull, 0x0f0e0d0c0b0a0908ull};
  EXPECT_EQ(KeyHasher(secret).finish().text(), "a3817f04ba25a8e66df67214c7550293");
  EXPECT_EQ(KeyHasher(secret).field("hello").finish().text(), "c6add7d69647848d96595ace98e45e68");
}

TEST(CacheKeys, EveryFieldOfTheScopeCounts) {
  std::set<CacheKey> keys{scopeKey({})};
  std::string_view CacheScope::*const fields[] = {&CacheScope::tenant,     &CacheScope::provider, &CacheScope::model,
                                                  &CacheScope::parameters, &CacheScope::system,   &CacheScope::tools,
                                                  &CacheScope::constraint, &CacheScope::history};
  for (const auto field : fields) {
    CacheScope scope;
    scope.*field = "x";
    EXPECT_TRUE(keys.insert(scopeKey(scope)).second);
  }
  EXPECT_EQ(keys.size(), 9u);
}

TEST(CacheKeys, FieldsDoNotRunIntoEachOther) {
  CacheScope a, b;
  a.tenant = "ab";
  a.provider = "c";
  b.tenant = "a";
  b.provider = "bc";
  EXPECT_FALSE(scopeKey(a) == scopeKey(b));
}

TEST(CacheKeys, JsonIsComparedAsJson) {
  CacheScope a, b, c;
  a.parameters = R"({"temperature":0,"top_p":1})";
  b.parameters = R"( { "top_p" : 1, "temperature" : 0 } )";
  c.parameters = R"({"temperature":1,"top_p":1})";
  EXPECT_EQ(scopeKey(a), scopeKey(b));
  EXPECT_FALSE(scopeKey(a) == scopeKey(c));
}

TEST(CacheKeys, PromptsAreEqualButForLineEndsAndTheBlanksAroundThem) {
  const CacheKey scope = scopeKey({});
  EXPECT_EQ(requestKey(scope, "two\nlines"), requestKey(scope, "  two\r\nlines\n"));
  EXPECT_FALSE(requestKey(scope, "two\nlines") == requestKey(scope, "two lines"));
  EXPECT_FALSE(requestKey(scope, "Two\nlines") == requestKey(scope, "two\nlines"));
  EXPECT_FALSE(requestKey(scope, "x") == requestKey(scopeKey({}, {1, 1}), "x"));
  EXPECT_FALSE(requestKey(scope, "x") == requestKey(scope, "x", {1, 1}));
}

/// Two tenants, the same prompts and every other field equal: no key in common.
TEST(CacheKeys, TenantsNeverMeet) {
  Rng rng(1);
  std::set<CacheKey> first, second;
  for (int i = 0; i < 5000; ++i) {
    std::string tenant, prompt;
    for (std::uint32_t n = rng.below(6); n > 0; --n) tenant += static_cast<char>('a' + rng.below(2));
    for (std::uint32_t n = rng.below(6); n > 0; --n) prompt += static_cast<char>('a' + rng.below(2));
    CacheScope scope;
    const std::string one = tenant + "1", two = tenant + "2";
    scope.tenant = one;
    first.insert(requestKey(scopeKey(scope), prompt));
    scope.tenant = two;
    second.insert(requestKey(scopeKey(scope), prompt));
  }
  for (const CacheKey& key : first) EXPECT_EQ(second.count(key), 0u);
}

TEST(CacheKey, ReadsItsOwnText) {
  const CacheKey key{0x0123456789abcdefull, 0xfedcba9876543210ull};
  CacheKey back;
  ASSERT_TRUE(readKey(key.text(), back));
  EXPECT_EQ(back, key);
  for (const char* wrong : {"", "00", "0123456789abcdef0123456789abcdeg", "0123456789ABCDEF0123456789ABCDEF",
                            "0123456789abcdef0123456789abcdef0"}) {
    EXPECT_FALSE(readKey(wrong, back)) << wrong;
  }
  EXPECT_EQ(back, key);
}

TEST(CacheKey, ANamespaceIsAScopeAndAnEmbedder) {
  const CacheKey one{1, 1}, two{2, 2};
  const CacheKey space = spaceKey(one, "model", "sum");
  EXPECT_EQ(space, spaceKey(one, "model", "sum"));
  EXPECT_NE(space, spaceKey(two, "model", "sum"));
  EXPECT_NE(space, spaceKey(one, "models", "um"));
  EXPECT_NE(space, spaceKey(one, "model", "sum", two));
}

}  // namespace
}  // namespace aetherflow
