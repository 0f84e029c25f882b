#pragma once
// The index: files in, sections out. Knows no file system: the host reads, and hands over what changed.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/index/lines.hpp"
#include "core/index/record.hpp"

namespace aetherflow {

/// Of the ranking, BM25 by fields (Robertson, Zaragoza 2009): each field's count against the field's mean length.
struct RankSettings {
  double k1 = 1.2;    ///< how soon more of a word says no more
  double b = 0.7;     ///< how much of a long text's count is put down to its length; 0–1
  double title = 2;   ///< what a word in the title weighs, the text's being 1
  double path = 1.5;  ///< in the path, or in a title above
};

/// A section by its place in the index: files in the order of their paths. Good until the next change.
struct SectionId {
  std::uint32_t file = 0;
  std::uint32_t section = 0;
  bool operator==(const SectionId&) const = default;
};

struct SectionHit {
  SectionId id;
  std::uint32_t number = 0;  ///< of the section among all
  float score = 0;           ///< comparable within one search alone
  float lexical = 0;         ///< its words alone
  float dense = 0;           ///< cosine of its nearest vector, 0 without any
  float covered = 0;         ///< share of the question's words that stand in it, weighed by their rarity; 0–1
};

class DocumentIndex {
 public:
  Vocabulary& vocabulary() { return words_; }
  const Vocabulary& vocabulary() const { return words_; }
  RankSettings settings;

  /// Adds the file or puts it in its former place. False: it was there, the same, and nothing happened.
  bool put(std::string_view path, FileKind kind, std::string_view text, std::string_view given);
  /// False if there is none of that path.
  bool remove(std::string_view path);
  void clear();

  const std::vector<FileRecord>& files() const { return files_; }
  const FileRecord* find(std::string_view path) const;
  const SectionRecord& section(SectionId id) const { return files_[id.file].sections[id.section]; }
  std::uint32_t sections() const;
  std::uint32_t numberOf(SectionId id);
  SectionId idOf(std::uint32_t number);

  /// At most `count` sections, best first; equal ones in the order of the index. `paths`: files and folders, a line
  /// each, that alone are looked at; '' for all. The words of the question decide, and where `dense` has a cosine for
  /// each section (from -1 to 1; by number), both by halves, each scaled from its least to its greatest.
  std::vector<SectionHit> search(std::string_view question, std::size_t count, std::string_view paths = {},
                                 const std::vector<float>& dense = {});

  /// Of each line, the rarity of the question's words in it, summed.
  std::vector<double> worthOfLines(const LineTable& lines, std::string_view question);

  /// The index as bytes, files in the order of their paths: equal contents give equal bytes.
  void write(std::string& out) const;
  /// Replaces everything. Files whose bytes are damaged are left out: their number. -1: not an index of this version at
  /// all; then it is empty.
  int read(std::string_view bytes);

  /// Bytes of memory, roughly.
  std::size_t memory() const;

 private:
  struct Posting {
    std::uint32_t section = 0;
    std::uint16_t inText = 0;
    std::uint8_t inTitle = 0;
    std::uint8_t inPath = 0;
  };
  struct Asked {
    std::uint32_t terms[2];
    double idf = 0;
  };
  struct Lengths {
    float text = 0, title = 0, path = 0;
  };

  std::vector<FileRecord>::iterator placeOf(std::string_view path);
  void refresh();
  void forgetUnused();
  std::vector<Asked> asked(std::string_view question);
  double idfOf(std::uint64_t having) const;
  void addScores(const Asked& word, std::vector<float>& scores, std::vector<float>& covered) const;
  std::vector<std::uint8_t> looked(std::string_view paths) const;

  Vocabulary words_;
  std::vector<FileRecord> files_;
  // Made of the files when a search finds them changed: the order of sections, lengths, and where each word stands.
  bool fresh_ = false;
  std::vector<std::uint32_t> firsts_;  // number of each file's first section, and of all
  std::vector<std::uint32_t> fileOf_;
  std::vector<Lengths> lengths_;  // of each section, as what its counts are divided by
  std::vector<std::uint32_t> starts_;
  std::vector<Posting> postings_;
};

/// The natural logarithm of a number above 0 from + − × ÷ alone, so that scores are the same in every build. Error
/// below 1e-12.
double exactLog(double value);

}  // namespace aetherflow
