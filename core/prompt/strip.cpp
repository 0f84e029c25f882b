#include "core/prompt/strip.hpp"

#include <algorithm>

#include "core/base/sort.hpp"
#include "core/prompt/strip_rules.hpp"
#include "core/prompt/text.hpp"
#include "core/prompt/tokens.hpp"

namespace aetherflow {
namespace {

/// Cuts can uncover others ("Please, please…"). Real prompts settle in two or three passes.
constexpr int kPasses = 8;

struct Tally {
  std::uint32_t count = 0;
  std::uint32_t bytes = 0;
  std::uint32_t tokens = 0;
};

/// Appends the letter at `at` as a capital and moves past it; nothing where there is no small letter.
void capitalise(std::string_view text, std::size_t& at, std::string& out) {
  if (at >= text.size()) return;
  const char c = text[at];
  const auto next = at + 1 < text.size() ? static_cast<unsigned char>(text[at + 1]) : 0;
  if (text::isLower(c)) {
    out += static_cast<char>(c - 32);
    ++at;
  } else if (static_cast<unsigned char>(c) == 0xc3 && next >= 0xa0 && next <= 0xbe && next != 0xb7) {
    out += c;
    out += static_cast<char>(next - 0x20);
    at += 2;
  }
}

/// The text without the cuts. Of two that overlap the one that begins first wins, then the longer; the next pass
/// finds what is left of the other.
std::string apply(const StripInput& in, std::vector<Cut>& cuts, Tally (&tally)[kStripRules]) {
  sortItems(cuts, [](const Cut& a, const Cut& b) {
    if (a.begin != b.begin) return a.begin < b.begin;
    return a.end != b.end ? a.end > b.end : a.rule < b.rule;
  });
  std::string out;
  out.reserve(in.text.size());
  std::size_t at = 0;
  for (const Cut& cut : cuts) {
    if (cut.begin < at || cut.begin >= cut.end) continue;
    out.append(in.text, at, cut.begin - at);
    at = cut.end;
    const std::string_view gone = in.text.substr(cut.begin, cut.end - cut.begin);
    Tally& sum = tally[static_cast<int>(cut.rule)];
    if (gone.size() > cut.instead.size()) ++sum.count;
    sum.bytes += static_cast<std::uint32_t>(gone.size() - cut.instead.size());
    sum.tokens += estimateTokens(gone) - std::min(estimateTokens(gone), estimateTokens(cut.instead));
    std::size_t written = 0;
    if (cut.capitalise && !cut.instead.empty()) {
      capitalise(cut.instead, written, out);
    } else if (cut.capitalise && !in.protection.touches(at, at + 1)) {
      capitalise(in.text, at, out);
    }
    out.append(cut.instead, written);
  }
  out.append(in.text, at, in.text.size() - at);
  return out;
}

}  // namespace

StripInput::StripInput(std::string_view whole) : text(whole), protection(whole), blocks(blocksOf(whole, protection)) {
  for (Block& block : blocks) {
    const BlockKind kind = block.kind;
    if (kind == BlockKind::Prose || kind == BlockKind::Item || kind == BlockKind::Numbered) {
      findSentences(text, block, sentences);
    }
  }
}

Cut sentenceCut(const StripInput& in, const Block& block, std::size_t sentence, StripRule rule) {
  const std::vector<Sentence>& all = in.sentences;
  if (block.sentencesEnd - block.sentences == 1) return {block.begin, block.end, rule};
  if (sentence + 1 < block.sentencesEnd) return {all[sentence].begin, all[sentence + 1].begin, rule};
  return {all[sentence - 1].end, all[sentence].end, rule};
}

std::string_view name(StripRule rule) {
  static constexpr std::string_view kNames[] = {
#define STRIP_RULE(id, text) text,
#include "core/base/row.def"
  };
  return rule < StripRule::Count ? kNames[static_cast<std::size_t>(rule)] : std::string_view("unknown");
}

Stripped strip(std::string_view text) {
  Stripped result;
  result.text = text;
  result.tokensBefore = estimateTokens(text);
  Tally tally[kStripRules];
  bool settled = false;
  for (int pass = 0; pass < kPasses && !settled; ++pass) {
    const std::string current = std::move(result.text);
    const StripInput in(current);
    std::vector<Cut> cuts;
    cutRepeats(in, cuts);
    cutFillers(in, cuts);
    cutMarkup(in, cuts);
    cutBlanks(in, cuts);
    settled = cuts.empty();
    result.text = apply(in, cuts, tally);
  }
  if (!settled) {
    // A text built to uncover cut after cut is returned unchanged: that alone keeps strip(strip(x)) == strip(x).
    result.text = text;
    result.tokensAfter = result.tokensBefore;
    return result;
  }
  for (int rule = 0; rule < kStripRules; ++rule) {
    if (tally[rule].count == 0) continue;
    result.removals.push_back({static_cast<StripRule>(rule), tally[rule].count, tally[rule].bytes, tally[rule].tokens});
  }
  result.tokensAfter = result.removals.empty() ? result.tokensBefore : estimateTokens(result.text);
  return result;
}

}  // namespace aetherflow
