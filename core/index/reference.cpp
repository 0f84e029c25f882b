#include "core/index/reference.hpp"

#include <algorithm>

#include "core/prompt/text.hpp"

namespace aetherflow {
namespace {

constexpr std::size_t kHashBytes = 16;
/// Bodies shorter than this are alike by chance.
constexpr std::uint32_t kLeastBody = 24;
/// Bits of 64 in which the sketches of two versions of a text may differ: under the same titles, and elsewhere in the
/// file.
constexpr std::uint32_t kNearNamed = 20, kNear = 7;

struct ReadReference {
  std::string_view path, titles;
  std::uint32_t line = 0;  ///< from 1
};

/// Titles and line after the path. False: there is no line.
bool readRest(std::string_view rest, ReadReference& out) {
  const std::size_t dot = rest.rfind('.');
  const std::string_view digits = dot == std::string_view::npos ? rest : rest.substr(dot + 1);
  if (digits.empty() || digits.size() > 9 || !std::all_of(digits.begin(), digits.end(), text::isDigit)) return false;
  out.titles = dot == std::string_view::npos ? std::string_view() : rest.substr(0, dot);
  out.line = 0;
  for (const char c : digits) out.line = out.line * 10 + static_cast<std::uint32_t>(c - '0');
  return true;
}

/// Paths and titles may hold any of the signs: the longest path that is a file here counts, else the shortest.
bool readReference(const DocumentIndex& index, std::string_view text, ReadReference& out) {
  bool any = false;
  for (std::size_t at = text.find(':'); at != std::string_view::npos; at = text.find(':', at + 1)) {
    const std::string_view path = text.substr(0, at);
    ReadReference read;
    if (!readRest(text.substr(at + 1), read)) continue;
    read.path = path;
    const bool known = index.find(path) != nullptr;
    if (!any || known) out = read;
    any = true;
  }
  return any;
}

class Resolver {
 public:
  Resolver(const DocumentIndex& index, const ReadReference& asked, std::string_view mark)
      : index_(index), asked_(asked), mark_(mark) {}

  ResolvedReference resolve() {
    for (std::uint32_t f = 0; f < index_.files().size(); ++f) {
      const FileRecord& file = index_.files()[f];
      const bool samePath = file.path == asked_.path;
      if (mark_.empty() && !samePath) continue;
      for (std::uint32_t s = 0; s < file.sections.size(); ++s) look({f, s}, file, samePath);
    }
    if (mark_.empty())
      return named_ == 1 || (named_ > 0 && namedLine_) ? found(ReferenceState::Named) : ResolvedReference();
    if (best_.rank == 0) return {};
    if (best_.rank == 1) return found(ReferenceState::Changed);
    const bool same = best_.rank >= 3 && best_.samePath && best_.sameTitles && best_.apart == 0;
    return found(same ? ReferenceState::Same : ReferenceState::Moved);
  }

 private:
  /// 3 the same bytes, 2 the same without the heading, 1 near, 0 another text.
  struct Fit {
    int rank = 0;
    std::uint32_t distance = 64;
    bool samePath = false, sameTitles = false;
    std::uint32_t apart = 0;
  };

  ResolvedReference found(ReferenceState state) const { return {state, id_}; }

  void look(SectionId id, const FileRecord& file, bool samePath) {
    const SectionRecord& section = file.sections[id.section];
    const std::string titles = headingPath(file, id.section);
    const std::uint32_t line = section.at.first + 1;
    Fit fit;
    fit.samePath = samePath;
    fit.sameTitles = titles == asked_.titles;
    fit.apart = line > asked_.line ? line - asked_.line : asked_.line - line;
    if (mark_.empty()) {
      if (!fit.sameTitles) return;
      const bool exact = fit.apart == 0;
      if (named_ == 0 || exact) id_ = id;
      ++named_;
      namedLine_ |= exact;
      return;
    }
    fit.rank = rankOf(section, fit);
    if (fit.rank == 0 || !better(fit)) return;
    best_ = fit;
    id_ = id;
  }

  int rankOf(const SectionRecord& section, Fit& fit) const {
    const std::string own = markOf(section);
    const std::size_t digits = 2 * kHashBytes;
    if (mark_.substr(0, digits) == std::string_view(own).substr(0, digits)) return 3;
    const bool body = section.at.to - section.at.body >= kLeastBody;
    if (body && mark_.substr(digits, digits) == std::string_view(own).substr(digits, digits)) return 2;
    if (!fit.samePath) return 0;
    fit.distance = sketchDistance(sketchIn(mark_), section.sketch);
    return fit.distance <= (fit.sameTitles ? kNearNamed : kNear) ? 1 : 0;
  }

  static std::uint64_t sketchIn(std::string_view mark) {
    std::uint64_t sketch = 0;
    for (const char c : mark.substr(4 * kHashBytes)) {
      const auto digit = static_cast<std::uint64_t>(text::isDigit(c) ? c - '0' : (c | 32) - 'a' + 10);
      sketch = sketch << 4 | (digit & 15);
    }
    return sketch;
  }

  bool better(const Fit& fit) const {
    if (fit.rank != best_.rank) return fit.rank > best_.rank;
    if (fit.samePath != best_.samePath) return fit.samePath;
    if (fit.sameTitles != best_.sameTitles) return fit.sameTitles;
    if (fit.distance != best_.distance) return fit.distance < best_.distance;
    return fit.apart < best_.apart;
  }

  const DocumentIndex& index_;
  const ReadReference asked_;
  const std::string_view mark_;
  Fit best_;
  SectionId id_;
  int named_ = 0;
  bool namedLine_ = false;
};

}  // namespace

std::string referenceOf(const FileRecord& file, std::uint32_t section) {
  const std::string titles = headingPath(file, section);
  return file.path + ':' + (titles.empty() ? "" : titles + '.') + std::to_string(file.sections[section].at.first + 1);
}

std::string markOf(const SectionRecord& section) {
  std::string out = hexOf(section.hash, kHashBytes) + hexOf(section.body, kHashBytes);
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[section.sketch >> shift & 15];
  return out;
}

ResolvedReference resolveReference(const DocumentIndex& index, std::string_view reference, std::string_view mark) {
  ReadReference read;
  if (!readReference(index, reference, read)) return {};
  if (mark.size() != 4 * kHashBytes + 16) mark = {};
  return Resolver(index, read, mark).resolve();
}

}  // namespace aetherflow
