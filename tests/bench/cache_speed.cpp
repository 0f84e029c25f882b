// What a look-up costs, apart from the embedding: search at several sizes beside the bare float scan, guards, keys,
// book.
//   cache_speed [rows ...]      dimensions: 384
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "core/cache/decision.hpp"
#include "core/cache/lexical.hpp"
#include "core/cache/lru.hpp"
#include "core/cache/vectors.hpp"
#include "tests/core/cache_testing.hpp"

using namespace aetherflow;

namespace {

/// Median µs of a call over `rounds`.
template <class Call>
double medianUs(int rounds, Call call) {
  std::vector<double> times;
  for (int i = 0; i < rounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    call();
    times.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
  }
  std::nth_element(times.begin(), times.begin() + rounds / 2, times.end());
  return times[static_cast<std::size_t>(rounds / 2)];
}

volatile std::size_t sink;

void search(std::uint32_t rows) {
  Rng rng(rows);
  VectorIndex index(384);
  std::vector<std::vector<float>> centres;
  // Questions to one service have something in common: a cosine near 0.35 between any two subjects.
  const std::vector<float> common = testing::unitVector(rng, 384);
  for (int i = 0; i < 500; ++i) centres.push_back(testing::unitVector(rng, 384, &common, 0.235));
  const double insert = medianUs(1, [&] {
    for (std::uint32_t id = 0; id < rows; ++id) {
      if (index.insert({}, id, testing::unitVector(rng, 384, &centres[rng.below(500)], 0.1).data())) std::abort();
    }
  });
  const std::vector<float> query = testing::unitVector(rng, 384, &centres[0], 0.1);
  const int rounds = rows > 200'000 ? 9 : 51;
  const double scan = medianUs(rounds, [&] { sink = index.nearest({}, query.data(), 10).size(); });
  const double floor = medianUs(rounds, [&] { sink = index.nearest({}, query.data(), 10, kFloor).size(); });
  const double floats = medianUs(rounds, [&] { sink = index.nearestByFloats({}, query.data(), 10).size(); });
  std::printf(
      "%8u rows: top 10 %9.1f us, from the floor up %9.1f us, every row in f32 %9.1f us, ratio %.2f; insert with "
      "making the vector %.2f us; %zu "
      "bytes an entry\n",
      rows, scan, floor, floats, floats / scan, insert / rows, index.bytes() / rows);
}

void decision() {
  Decider decider;
  const double words = medianUs(1, [&] {
    decider.lexicon().read(Language::English, kEnglishWords);
    decider.lexicon().read(Language::French, kFrenchWords);
  });
  DecisionModel model;
  if (!readModel(kMiniLmModel, model)) std::abort();
  decider.use(std::move(model));
  DecisionOptions options;
  options.mode = CacheMode::Semantic;
  const char* asked = "How can I remove a merged branch from a remote repository in git without the web page?";
  const std::vector<Candidate> stored(
      10, {0, 0.93f, "How do I delete a tag that was pushed to the remote repository of git by mistake?", {}});
  std::string why;
  const double decide = medianUs(2001, [&] { sink = decider.decide(asked, stored, options, why).size(); });
  const double embed = medianUs(2001, [&] { sink = embedLexically(readSentence(decider.lexicon(), asked)).size(); });
  const double key = medianUs(2001, [&] { sink = requestKey({}, asked).low; });
  std::printf("words read %.0f us; ten candidates judged %.1f us; built-in embedding %.1f us; key %.2f us\n", words,
              decide, embed, key);
}

void book() {
  CacheBook entries({1ull << 40, 100'000, 1u << 20, 1 << 30});
  std::vector<std::uint32_t> gone;
  std::uint64_t n = 0;
  const auto put = [&] {
    std::uint32_t id;
    Answer answer;
    answer.bytes = 1000;
    ++n;
    entries.put({n * 0x9e3779b97f4a7c15ull, n}, {}, answer, 0, id, gone);
  };
  while (n < 100'000) put();
  const double full = medianUs(501, put);
  const double find = medianUs(501, [&] { sink = entries.find({n * 0x9e3779b97f4a7c15ull, n}, 0, gone); });
  std::printf("at 100,000 entries: put with eviction %.1f us, find %.2f us\n", full, find);
}

}  // namespace

int main(int argc, char** argv) {
  decision();
  book();
  if (argc < 2) {
    for (const std::uint32_t rows : {1000u, 10'000u, 100'000u}) search(rows);
  }
  for (int i = 1; i < argc; ++i) search(static_cast<std::uint32_t>(std::atoi(argv[i])));
}
