// Ranking: BM25 by fields over all sections, and cosines beside it where there are vectors.
#include <algorithm>
#include <cstring>

#include "core/index/document_index.hpp"

namespace aetherflow {
namespace {

constexpr std::size_t kMostWords = 200;

/// Of the values from its least to its greatest, where a value lies; 0 where all are equal.
class Scale {
 public:
  explicit Scale(const std::vector<float>& values, const std::vector<std::uint8_t>& looked) {
    bool any = false;
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!looked.empty() && looked[i] == 0) continue;
      least_ = any ? std::min(least_, values[i]) : values[i];
      most_ = any ? std::max(most_, values[i]) : values[i];
      any = true;
    }
  }
  float of(float value) const { return most_ > least_ ? (value - least_) / (most_ - least_) : 0.0f; }

 private:
  float least_ = 0, most_ = 0;
};

}  // namespace

double exactLog(double value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof bits);
  int exponent = static_cast<int>(bits >> 52 & 0x7ff) - 1023;
  bits = (bits & 0xfffffffffffffu) | 0x3ff0000000000000u;
  double m = 0;
  std::memcpy(&m, &bits, sizeof m);
  if (m > 1.4142135623730951) {
    m /= 2;
    ++exponent;
  }
  // ln m = 2 (z + z³/3 + z⁵/5 + …), |z| < 0.172: ten terms leave less than 1e-16.
  const double z = (m - 1) / (m + 1), square = z * z;
  double sum = 0, power = z;
  for (int i = 1; i < 20; i += 2, power *= square) sum += power / i;
  return 2 * sum + exponent * 0.6931471805599453;
}

double DocumentIndex::idfOf(std::uint64_t having) const {
  const auto all = static_cast<double>(fileOf_.size()), some = static_cast<double>(having);
  return exactLog(1 + (all - some + 0.5) / (some + 0.5));
}

/// The words of the question that carry meaning, each once, with their numbers in both languages.
std::vector<DocumentIndex::Asked> DocumentIndex::asked(std::string_view question) {
  const Language language = words_.languageOf(question);
  std::vector<Asked> out;
  std::vector<std::string> seen;
  WordSplitter splitter(question);
  for (std::string_view word; out.size() < kMostWords && splitter.next(word);) {
    if (words_.isStop(language, word) || std::find(seen.begin(), seen.end(), word) != seen.end()) continue;
    seen.emplace_back(word);
    Asked one{{words_.findTerm(Language::English, word), words_.findTerm(Language::French, word)}, 0};
    const auto same = [&](const Asked& other) {
      return one.terms[0] != Vocabulary::kStop && other.terms[0] == one.terms[0] && other.terms[1] == one.terms[1];
    };
    if (std::find_if(out.begin(), out.end(), same) != out.end()) continue;
    std::uint64_t having = 0;
    for (const std::uint32_t term : one.terms)
      if (term != Vocabulary::kStop && term + 1 < starts_.size()) having += starts_[term + 1] - starts_[term];
    one.idf = idfOf(having);
    out.push_back(one);
  }
  return out;
}

void DocumentIndex::addScores(const Asked& word, std::vector<float>& scores, std::vector<float>& covered) const {
  const double k1 = settings.k1;
  const auto field = [k1](double count, double length) { return count * (k1 + 1) / (count + k1 * length); };
  for (const std::uint32_t term : word.terms) {
    if (term == Vocabulary::kStop || term + 1 >= starts_.size()) continue;
    for (std::uint32_t i = starts_[term]; i < starts_[term + 1]; ++i) {
      const Posting& at = postings_[i];
      const Lengths& length = lengths_[at.section];
      const double text = field(at.inText, length.text), title = field(at.inTitle, length.title),
                   path = field(at.inPath, length.path);
      scores[at.section] += static_cast<float>(word.idf * (text + settings.title * title + settings.path * path));
      covered[at.section] += static_cast<float>(word.idf);
    }
  }
}

/// A byte for each section: whether it is in one of the paths. Empty: all are.
std::vector<std::uint8_t> DocumentIndex::looked(std::string_view paths) const {
  std::vector<std::uint8_t> out;
  if (paths.empty()) return out;
  out.resize(fileOf_.size(), 0);
  while (!paths.empty()) {
    const std::size_t end = std::min(paths.find('\n'), paths.size());
    std::string_view path = paths.substr(0, end);
    paths.remove_prefix(std::min(end + 1, paths.size()));
    while (!path.empty() && path.back() == '/') path.remove_suffix(1);
    if (path.starts_with("./")) path.remove_prefix(2);
    for (std::uint32_t f = 0; f < files_.size(); ++f) {
      const std::string& file = files_[f].path;
      const bool inside = path.empty() || path == "." || file == path ||
                          (file.starts_with(path) && file.size() > path.size() && file[path.size()] == '/');
      if (inside) std::fill(out.begin() + firsts_[f], out.begin() + firsts_[f + 1], 1);
    }
  }
  return out;
}

std::vector<SectionHit> DocumentIndex::search(std::string_view question, std::size_t count, std::string_view paths,
                                              const std::vector<float>& dense) {
  refresh();
  const std::size_t all = fileOf_.size();
  const std::vector<Asked> words = asked(question);
  const std::vector<std::uint8_t> in = looked(paths);
  std::vector<float> scores(all, 0.0f), covered(all, 0.0f);
  double total = 0;
  for (const Asked& word : words) {
    addScores(word, scores, covered);
    total += word.idf;
  }
  const bool both = dense.size() == all && all > 0;
  const Scale lexicalScale(scores, in), denseScale(both ? dense : scores, in);
  std::vector<SectionHit> hits;
  for (std::uint32_t i = 0; i < all; ++i) {
    if ((!in.empty() && in[i] == 0) || (!both && scores[i] <= 0)) continue;
    SectionHit hit;
    hit.number = i;
    hit.lexical = scores[i];
    hit.dense = both ? dense[i] : 0.0f;
    hit.score = both ? 0.5f * lexicalScale.of(scores[i]) + 0.5f * denseScale.of(dense[i]) : scores[i];
    hit.covered = total > 0 ? static_cast<float>(covered[i] / total) : 0.0f;
    hits.push_back(hit);
  }
  const auto better = [](const SectionHit& a, const SectionHit& b) {
    return a.score != b.score ? a.score > b.score : a.number < b.number;
  };
  const std::size_t most = std::min(count, hits.size());
  std::partial_sort(hits.begin(), hits.begin() + static_cast<std::ptrdiff_t>(most), hits.end(), better);
  hits.resize(most);
  for (SectionHit& hit : hits) hit.id = idOf(hit.number);
  return hits;
}

std::vector<double> DocumentIndex::worthOfLines(const LineTable& lines, std::string_view question) {
  refresh();
  const std::vector<Asked> words = asked(question);
  std::vector<double> out(lines.count(), 0.0);
  for (std::size_t line = 0; line < out.size(); ++line) {
    WordSplitter splitter(lines.line(line));
    for (std::string_view word; splitter.next(word);) {
      for (const Language language : {Language::English, Language::French}) {
        const std::uint32_t term = words_.findTerm(language, word);
        if (term == Vocabulary::kStop) continue;
        for (const Asked& one : words)
          if (one.terms[language == Language::French ? 1 : 0] == term) out[line] += one.idf;
      }
    }
  }
  return out;
}

}  // namespace aetherflow
