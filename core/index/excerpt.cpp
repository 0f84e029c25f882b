#include "core/index/excerpt.hpp"

#include <algorithm>

#include "core/index/lines.hpp"
#include "core/prompt/tokens.hpp"

namespace aetherflow {
namespace {

/// A section this short says little without what stands below or above it.
constexpr std::uint32_t kShort = 80;
/// Less than this of a section is not worth its place.
constexpr std::uint32_t kLeastCut = 60;
constexpr float kLeastShare = 0.25f;

class Filler {
 public:
  Filler(const DocumentIndex& index, std::uint32_t budget) : index_(index), left_(budget) {}

  std::vector<Excerpt> fill(const std::vector<SectionHit>& hits) {
    const SectionHit* cut = nullptr;
    std::size_t wanted = 0;
    while (wanted < hits.size() && hits[wanted].score >= hits[0].score * kLeastShare) ++wanted;
    for (std::size_t i = 0; i < wanted; ++i) {
      if (!take(hits[i].id, hits[i].score) && cut == nullptr && !has(hits[i].id)) cut = &hits[i];
    }
    const std::size_t whole = taken_.size();
    for (std::size_t i = 0; i < whole; ++i) takeAround(taken_[i].id);
    if (cut != nullptr && left_ >= kLeastCut) taken_.push_back({cut->id, left_, false, cut->score});
    order(hits);
    return std::move(taken_);
  }

 private:
  bool has(SectionId id) const {
    return std::any_of(taken_.begin(), taken_.end(), [id](const Excerpt& one) { return one.id == id; });
  }
  bool take(SectionId id, float score) {
    const std::uint32_t tokens = index_.section(id).tokens;
    if (tokens > left_ || has(id)) return false;
    left_ -= tokens;
    taken_.push_back({id, tokens, true, score});
    return true;
  }
  void takeAround(SectionId id) {
    const FileRecord& file = index_.files()[id.file];
    const SectionRecord& section = file.sections[id.section];
    if (section.tokens >= kShort) return;
    for (std::uint32_t s = id.section + 1; s < file.sections.size() && file.sections[s].at.first <= section.at.reach;
         ++s)
      if (!take({id.file, s}, 0) && !has({id.file, s})) break;
    if (section.at.parent != kNoNode) take({id.file, section.at.parent}, 0);
  }
  void order(const std::vector<SectionHit>& hits) {
    const auto rank = [&](std::uint32_t file) {
      return std::find_if(hits.begin(), hits.end(), [file](const SectionHit& hit) { return hit.id.file == file; }) -
             hits.begin();
    };
    std::stable_sort(taken_.begin(), taken_.end(), [&](const Excerpt& a, const Excerpt& b) {
      if (a.id.file != b.id.file) return rank(a.id.file) < rank(b.id.file);
      return a.id.section < b.id.section;
    });
  }

  const DocumentIndex& index_;
  std::uint32_t left_;
  std::vector<Excerpt> taken_;
};

}  // namespace

std::vector<Excerpt> excerptsFor(const DocumentIndex& index, const std::vector<SectionHit>& hits,
                                 std::uint32_t budget) {
  return Filler(index, budget).fill(hits);
}

std::vector<LineRange> linesToKeep(DocumentIndex& index, std::string_view text, std::string_view question,
                                   std::uint32_t budget) {
  const LineTable lines(text);
  const std::vector<double> worth = index.worthOfLines(lines, question);
  std::vector<std::uint8_t> kept(lines.count(), 0);
  std::uint32_t left = budget;
  const auto keep = [&](std::size_t line) {
    if (line >= kept.size() || kept[line] != 0) return;
    const std::uint32_t tokens = estimateTokens(lines.line(line)) + 1;
    if (tokens > left) return;
    left -= tokens;
    kept[line] = 1;
  };
  keep(0);
  std::vector<std::uint32_t> order(lines.count());
  for (std::uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return worth[a] > worth[b]; });
  for (const std::uint32_t line : order) {
    if (worth[line] <= 0 || left == 0) break;
    for (const std::uint32_t near : {line, line + 1, line - 1, line + 2, line - 2}) keep(near);
  }
  for (std::uint32_t line = 1; line < lines.count() && left > 0; ++line) keep(line);
  std::vector<LineRange> out;
  for (std::uint32_t line = 0; line < kept.size(); ++line) {
    if (kept[line] == 0) continue;
    if (!out.empty() && out.back().last + 1 == line)
      out.back().last = line;
    else
      out.push_back({line, line});
  }
  return out;
}

}  // namespace aetherflow
