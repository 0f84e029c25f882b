#include "core/index/ngrams.hpp"

#include <algorithm>

#include "core/index/words.hpp"
#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

struct Gram {
  std::uint32_t number = 0;
  std::vector<std::string> words;  // sorted, each once
};

std::vector<Gram> readGrams(std::string_view lines) {
  std::vector<Gram> out;
  for (std::uint32_t number = 0; !lines.empty(); ++number) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    Gram gram{number, {}};
    WordSplitter splitter(lines.substr(0, end));
    for (std::string_view word; splitter.next(word);) gram.words.emplace_back(word);
    std::sort(gram.words.begin(), gram.words.end());
    gram.words.erase(std::unique(gram.words.begin(), gram.words.end()), gram.words.end());
    out.push_back(std::move(gram));
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  return out;
}

/// Whether whatever holds all words of `gram` holds those of `kept`.
bool covers(const Gram& kept, const Gram& gram) {
  return !kept.words.empty() &&
         std::includes(gram.words.begin(), gram.words.end(), kept.words.begin(), kept.words.end());
}

bool isImportant(const std::string& word) {
  return word.size() >= kLongWord || std::any_of(word.begin(), word.end(), text::isDigit);
}

/// The grams in the order in which the seed's rule takes them.
std::vector<const Gram*> bySeed(const std::vector<Gram>& grams) {
  std::vector<const Gram*> order;
  std::vector<std::string> there;
  const auto has = [&](const std::string& word) { return std::find(there.begin(), there.end(), word) != there.end(); };
  const auto take = [&](const Gram& gram) {
    order.push_back(&gram);
    there.insert(there.end(), gram.words.begin(), gram.words.end());
  };
  for (const Gram& gram : grams)
    if (gram.words.size() > 2) take(gram);
  for (const Gram& gram : grams)
    if (gram.words.size() == 2 && !(has(gram.words[0]) && has(gram.words[1]))) take(gram);
  for (const Gram& gram : grams)
    if (gram.words.size() == 1 && isImportant(gram.words[0])) take(gram);
  return order;
}

/// Those that no other covers, fewest words first, of these the longest words first: long words are rarer.
std::vector<const Gram*> byCover(const std::vector<Gram>& grams) {
  std::vector<const Gram*> sorted, order;
  for (const Gram& gram : grams)
    if (!gram.words.empty()) sorted.push_back(&gram);
  const auto length = [](const Gram& gram) {
    std::size_t sum = 0;
    for (const std::string& word : gram.words) sum += word.size();
    return sum;
  };
  std::stable_sort(sorted.begin(), sorted.end(), [&](const Gram* a, const Gram* b) {
    return a->words.size() != b->words.size() ? a->words.size() < b->words.size() : length(*a) > length(*b);
  });
  for (const Gram* gram : sorted) {
    const bool covered =
        std::any_of(order.begin(), order.end(), [gram](const Gram* kept) { return covers(*kept, *gram); });
    if (!covered) order.push_back(gram);
  }
  return order;
}

}  // namespace

GramChoice chooseGrams(std::string_view lines, GramStrategy strategy, std::size_t most) {
  const std::vector<Gram> grams = readGrams(lines);
  std::vector<const Gram*> order = strategy == GramStrategy::Seed ? bySeed(grams) : byCover(grams);
  if (order.size() > most) order.resize(most);
  GramChoice out;
  for (const Gram* gram : order) out.kept.push_back(gram->number);
  std::sort(out.kept.begin(), out.kept.end());
  for (const Gram& gram : grams) {
    if (std::binary_search(out.kept.begin(), out.kept.end(), gram.number)) continue;
    const auto by = std::find_if(order.begin(), order.end(), [&](const Gram* kept) { return covers(*kept, gram); });
    out.dropped.push_back({gram.number, by == order.end() ? UINT32_MAX : (*by)->number});
  }
  return out;
}

}  // namespace aetherflow
