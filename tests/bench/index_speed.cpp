// What the document index costs natively (in processor time too, which neighbours on the machine do not lengthen): building, bringing up to date, a search, memory.
//   index_speed [sections ...]      default 1000 10000; texts of 150 words from a vocabulary of 20,000, skewed as words are
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>

#include "core/base/rng.hpp"
#include "core/index/document_index.hpp"

using namespace aetherflow;

namespace {

double msSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

std::string word(Rng& rng) {
  // The cube of an even distribution: few words are frequent, most are rare.
  const double share = rng.unit();
  std::string out = "w";
  out += std::to_string(static_cast<int>(share * share * share * 20'000));
  return out;
}

std::string textOf(Rng& rng, std::uint32_t sections) {
  std::string out;
  for (std::uint32_t s = 0; s < sections; ++s) {
    out += "## ";
    out += word(rng);
    out += ' ';
    out += word(rng);
    out += "\n\n";
    for (int i = 0; i < 150; ++i) {
      out += word(rng);
      out += i % 12 == 11 ? '\n' : ' ';
    }
    out += "\n\n";
  }
  return out;
}

void measure(std::uint32_t sections) {
  Rng rng(sections);
  constexpr std::uint32_t kPerFile = 10;
  std::vector<std::string> texts;
  for (std::uint32_t done = 0; done < sections; done += kPerFile) texts.push_back(textOf(rng, kPerFile));
  DocumentIndex index;
  index.vocabulary().readStops(Language::English, "w0 w1 w2");
  const auto pathOf = [](std::size_t i) {
    std::string path = "docs/";
    path += std::to_string(i);
    path += ".md";
    return path;
  };
  const std::clock_t cpu = std::clock();
  auto start = std::chrono::steady_clock::now();
  for (std::size_t i = 0; i < texts.size(); ++i) index.put(pathOf(i), FileKind::Markdown, texts[i], {});
  index.search("w5", 1);
  const double build = msSince(start), used = 1000.0 * static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  start = std::chrono::steady_clock::now();
  index.put(pathOf(0), FileKind::Markdown, texts[1], {});
  index.search("w5", 1);
  const double change = msSince(start);
  std::vector<double> times;
  std::size_t found = 0;
  for (int i = 0; i < 200; ++i) {
    std::string question;
    for (int words = 0; words < 8; ++words) question += word(rng) + ' ';
    start = std::chrono::steady_clock::now();
    found += index.search(question, 10).size();
    times.push_back(msSince(start));
  }
  std::sort(times.begin(), times.end());
  std::string bytes;
  index.write(bytes);
  std::printf(
      "%6u sections  build %7.1f ms (processor %.1f)  one file changed %6.2f ms  search p50 %.3f p95 %.3f ms (%zu found)  memory %zu B, "
      "kept %zu B a section\n",
      index.sections(), build, used, change, times[100], times[190], found, index.memory() / index.sections(),
      bytes.size() / index.sections());
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) {
    measure(1000);
    measure(10'000);
  }
  for (int i = 1; i < count; ++i) measure(static_cast<std::uint32_t>(std::strtoul(words[i], nullptr, 10)));
}
