#pragma once
// The pairs of the semantic cache with their vectors, as cache-embed.mjs wrote them, and how they are split.

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/cache/guards.hpp"
#include "core/cache/lexical.hpp"
#include "core/cache/vectors.hpp"
#include "core/cache/words.generated.hpp"

namespace aetherflow::bench {

inline void readWords(Lexicon& lexicon) {
  lexicon.read(Language::English, kEnglishWords);
  lexicon.read(Language::French, kFrenchWords);
}

struct Pair {
  bool same = false;   ///< one answer serves both
  std::string family;  ///< file/category, the clusters of osschat as one
  std::string a, b;
  std::uint32_t textA = 0, textB = 0;
  std::uint32_t part = 0;  ///< 0–9: by connected component of texts and templates
  float cosine = 0;        ///< of the model's vectors
  float letters = 0;       ///< of the lexical vectors
  bool fresh = false;      ///< exact only
  Finding finding;
};

inline std::uint32_t hashOf(std::string_view s) {
  std::uint32_t h = 2166136261u;
  for (const char c : s) h = (h ^ static_cast<unsigned char>(c)) * 16777619u;
  return h ^ h >> 15;
}

class Components {
 public:
  std::uint32_t find(std::uint32_t x) {
    while (parent_[x] != x) x = parent_[x] = parent_[parent_[x]];
    return x;
  }
  void join(std::uint32_t a, std::uint32_t b) { parent_[find(a)] = find(b); }
  explicit Components(std::size_t n) : parent_(n) {
    for (std::uint32_t i = 0; i < n; ++i) parent_[i] = i;
  }

 private:
  std::vector<std::uint32_t> parent_;
};

inline std::vector<std::string> fields(const std::string& line) {
  std::vector<std::string> out(1);
  for (const char c : line) {
    if (c == '\t') {
      out.emplace_back();
    } else {
      out.back() += c;
    }
  }
  return out;
}

/// Reads FOLDER/pairs.tsv, texts.txt, vectors.f32 (rows × 384). Templates: a whole category of checklist and
/// breaking-nli is in one part, and so are all pairs that share a text.
inline std::vector<Pair> readPairs(const std::string& folder) {
  std::vector<Pair> pairs;
  std::map<std::string, std::uint32_t> texts;
  std::string line;
  std::ifstream textFile(folder + "/texts.txt");
  while (std::getline(textFile, line)) texts.emplace(line, static_cast<std::uint32_t>(texts.size()));
  std::ifstream vectorFile(folder + "/vectors.f32", std::ios::binary);
  std::vector<float> vectors(texts.size() * 384);
  vectorFile.read(reinterpret_cast<char*>(vectors.data()), static_cast<std::streamsize>(vectors.size() * 4));
  std::ifstream pairFile(folder + "/pairs.tsv");
  Lexicon lexicon;
  readWords(lexicon);
  Components components(texts.size());
  std::map<std::string, std::uint32_t> templates;
  while (std::getline(pairFile, line)) {
    const std::vector<std::string> row = fields(line);
    if (row.size() != 4) continue;
    Pair pair;
    pair.same = row[0] == "1";
    pair.family = row[1].rfind("osschat", 0) == 0 ? "osschat" : row[1];
    pair.a = row[2];
    pair.b = row[3];
    pair.textA = texts.at(pair.a);
    pair.textB = texts.at(pair.b);
    components.join(pair.textA, pair.textB);
    if (pair.family.find('/') != std::string::npos && pair.family.rfind("qqp", 0) != 0 &&
        pair.family.rfind("gpt", 0) != 0 && pair.family.rfind("own", 0) != 0 && pair.family.rfind("groups", 0) != 0) {
      const auto [at, fresh] = templates.emplace(pair.family, pair.textA);
      if (!fresh) components.join(at->second, pair.textA);
    }
    pairs.push_back(std::move(pair));
  }
  for (Pair& pair : pairs) {
    pair.part = hashOf(std::to_string(components.find(pair.textA) * 2654435761u)) % 10;
    pair.cosine = dot(&vectors[pair.textA * 384], &vectors[pair.textB * 384], 384);
    const ReadSentence a = readSentence(lexicon, pair.a);
    const ReadSentence b = readSentence(lexicon, pair.b);
    pair.letters = likeness(embedLexically(a), embedLexically(b));
    std::string word;
    pair.fresh = onlyExact(a, word) || onlyExact(b, word);
    pair.finding = compare(a, b, pair.letters);
    if (pair.fresh) pair.finding.detail = word;
  }
  return pairs;
}

}  // namespace aetherflow::bench
