#include "core/prompt/assemble.hpp"

#include "core/base/sort.hpp"
#include "core/plan/templates.hpp"
#include "core/prompt/delimiter.hpp"
#include "core/prompt/minify.hpp"
#include "core/prompt/role.hpp"
#include "core/prompt/text.hpp"
#include "core/prompt/tokens.hpp"

namespace aetherflow {
namespace {

/// Outputs up to this size, on one line, are set into the sentence that names them: "Rename it to {{steps.name.output}}".
constexpr std::size_t kInlineBytes = 200;
/// No provider keeps less: about a thousand tokens.
constexpr std::size_t kKeyedBytes = 4096;
constexpr std::string_view kBlocks =
    "Answer with changes to the target file only, each as a block of this form, its first part copied exactly from the "
    "file and found there once:\n<<<<<<< SEARCH\nlines as they are\n=======\nlines as they shall be\n>>>>>>> REPLACE";
constexpr std::string_view kNoOutput = "(this step gave no output)";

class Assembler {
 public:
  explicit Assembler(const PromptParts& parts) : parts_(parts), inlined_(parts.dependencies.size(), kNot) {}

  Prompt run() {
    const Step& step = *parts_.step;
    const bool own = parts_.layout == PromptLayout::Own;
    prompt_.system = own ? systemText(parts_.role, step.type, kind()) : sharedSystemText();
    if (own && !judges() && step.blocks) prompt_.system += kBlocks;
    // After what all steps have, so that their prefix stays equal.
    if (!judges() && !step.system.empty()) prompt_.system += "\n" + step.system;
    // Before the dependencies are written: it finds which of them the description takes in.
    const std::string task = substituted(stripped(step.description));
    plan();
    blocks();
    ownTexts(task);
    constraint();
    if (own) {
      judged();
      length();
    } else {
      closing();
    }
    prompt_.tokensEstimated = estimateTokens(prompt_.system) + estimateTokens(prompt_.user);
    prompt_.tokensBeforeStripping = prompt_.tokensEstimated + saved_;
    for (int rule = 0; rule < kStripRules; ++rule) {
      if (sums_[rule].count != 0) prompt_.removals.push_back(sums_[rule]);
    }
    return std::move(prompt_);
  }

 private:
  static constexpr char kNot = 0, kInlined = 1;

  std::string& user() { return prompt_.user; }
  bool judges() const { return parts_.role == PromptRole::Judge || parts_.role == PromptRole::Asked; }
  /// Blocks have a form of their own.
  OutputKind kind() const { return parts_.step->blocks ? OutputKind::Count : parts_.step->output; }

  std::string stripped(std::string_view text) {
    if (!parts_.strip) return std::string(text);
    Stripped anew;
    if (parts_.stripped == nullptr) anew = strip(text);
    const Stripped& result = parts_.stripped == nullptr ? anew : parts_.stripped->of(text);
    for (const Removal& removal : result.removals) add(removal);
    if (result.tokensBefore > result.tokensAfter) saved_ += result.tokensBefore - result.tokensAfter;
    return result.text;
  }

  std::string minified(std::string_view text) {
    if (!parts_.strip) return std::string(text);
    std::string small = minifyJson(text);
    if (small.size() == text.size()) return small;
    const std::uint32_t before = estimateTokens(text);
    const std::uint32_t after = estimateTokens(small);
    const std::uint32_t tokens = before > after ? before - after : 0;
    add({StripRule::JsonSpace, 1, static_cast<std::uint32_t>(text.size() - small.size()), tokens});
    saved_ += tokens;
    return small;
  }

  void add(const Removal& removal) {
    Removal& sum = sums_[static_cast<int>(removal.rule)];
    sum.rule = removal.rule;
    sum.count += removal.count;
    sum.bytes += removal.bytes;
    sum.tokens += removal.tokens;
  }

  void plan() {
    if (const std::string plan = stripped(parts_.planDescription); !plan.empty()) {
      appendTagged(user(), "plan", "", "", plan);
    }
    prompt_.shared = prompt_.keyed = user().size();
  }

  /// Files, documents, outputs, in the step's own order; in the shared layout the most used first, files before outputs, and what was
  /// found for this step alone last.
  void blocks() {
    std::vector<std::uint32_t> order;
    const std::size_t files = parts_.files.size();
    for (std::uint32_t i = 0; i < files + inlined_.size(); ++i)
      if (i < files || inlined_[i - files] == kNot) order.push_back(i);
    const auto named = [&](std::uint32_t i) -> const NamedText& {
      return i < files ? parts_.files[i] : parts_.dependencies[i - files];
    };
    const bool shared = parts_.layout == PromptLayout::Shared;
    if (shared)
      sortItems(order, [&](std::uint32_t a, std::uint32_t b) {
        if (named(a).uses != named(b).uses) return named(a).uses > named(b).uses;
        return a < files && b < files ? named(a).name < named(b).name : a < b;
      });
    bool told = parts_.documents.empty();
    const auto documents = [&] {
      if (!told) appendTagged(user(), "documents", "", "", parts_.documents);
      told = true;
    };
    for (const std::uint32_t i : order) {
      const NamedText& each = named(i);
      if (!shared && i >= files) documents();
      if (i < files)
        appendTagged(user(), "file", "name", each.name, minified(each.text));
      else
        appendTagged(user(), "output", "step", each.name, each.text);
      if (!shared || each.uses < 2) continue;
      if (prompt_.keyed == prompt_.shared && prompt_.keyed < kKeyedBytes) prompt_.keyed = user().size();
      prompt_.shared = user().size();
    }
    documents();
  }

  /// What the prompt ends with: the role and the form of the answer, and what is judged or corrected.
  void closing() {
    const Step& step = *parts_.step;
    if (judges()) {
      // Who is asked a question reads it last.
      const bool asked = parts_.role == PromptRole::Asked;
      if (!asked) judged();
      user() += judgeText(parts_.role);
      user() += '\n';
      if (asked) judged();
      return;
    }
    user() += workText(step.type, kind());
    if (step.blocks) user() += kBlocks;
    user() += '\n';
    length();
    judged();
    if (parts_.role != PromptRole::Repair) return;
    user() += repairText();
    user() += '\n';
  }

  std::string substituted(const std::string& description) {
    std::string out;
    TemplatePieces pieces(description);
    for (TemplatePiece piece; pieces.next(piece);) {
      if (piece.kind == TemplatePiece::Kind::Output) {
        appendOutput(out, piece.text);
      } else if (piece.kind == TemplatePiece::Kind::Item) {
        appendItem(out, piece.text);
      } else {
        out += piece.text;
      }
    }
    return out;
  }

  void appendOutput(std::string& out, std::string_view id) {
    std::size_t i = 0;
    while (i < parts_.dependencies.size() && parts_.dependencies[i].name != id) ++i;
    if (i == parts_.dependencies.size()) {
      appendTaggedInline(out, "output", "step", id, kNoOutput);
      return;
    }
    const std::string_view text = parts_.dependencies[i].text;
    if (text.size() <= kInlineBytes && text.find('\n') == std::string_view::npos) {
      appendTaggedInline(out, "output", "step", id, text);
    } else if (inlined_[i] == kInlined) {
      appendTaggedInline(out, "output", "step", id, "(as above)");  // once is enough for a long text
    } else {
      if (!out.empty() && out.back() != '\n') out += '\n';
      appendTagged(out, "output", "step", id, text);
    }
    inlined_[i] = kInlined;
  }

  /// What a step is carried out for comes from outside as an output does: nothing in it is filled in.
  void appendItem(std::string& out, std::string_view braces) {
    const std::vector<std::string>& values = parts_.step->values;
    std::size_t i = 0;
    while (i < values.size() && values[i] != itemName(braces)) i += 2;
    if (i + 1 < values.size())
      appendTaggedInline(out, "item", "", "", values[i + 1]);
    else
      out += braces;
  }

  void ownTexts(const std::string& task) {
    const Step& step = *parts_.step;
    const std::size_t before = user().size();
    appendTagged(user(), "task", "", "", task);
    prompt_.task = user().find('\n', before) + 1;
    prompt_.taskBytes = task.size();
    std::string criteria;
    for (const std::string& line : step.validationCriteria) {
      const std::string kept = stripped(line);
      if (kept.empty()) continue;
      criteria += "- ";
      criteria += kept;
      criteria += '\n';
    }
    if (!criteria.empty()) appendTagged(user(), "criteria", "", "", criteria);
    if (!step.context.empty()) appendTagged(user(), "context", "", "", minified(step.context));
  }

  void constraint() {
    const Step& step = *parts_.step;
    if (step.output != OutputKind::Schema) return;
    // A judge needs the schema at every level: its own answer is held to another one.
    if (parts_.level == ConstraintLevel::Native && !judges()) return;
    user() += judges() ? "The answer must be JSON that obeys this JSON Schema:\n"
                       : "Return JSON that obeys this JSON Schema:\n";
    appendTagged(user(), "schema", "", "", minifyJson(step.schema));
  }

  void judged() {
    const bool repairs = parts_.role == PromptRole::Repair;
    if (!repairs && !judges()) return;
    appendTagged(user(), "answer", "", "", parts_.answer);
    if (parts_.role == PromptRole::Asked)
      user() += parts_.issues;
    else if (repairs || !parts_.issues.empty())
      appendTagged(user(), repairs ? "issues" : "checks", "", "", parts_.issues);
  }

  /// Answer tokens are what costs and what takes the time: the model is told what the planner expects.
  void length() {
    if (judges() || parts_.step->estimatedTokens == 0) return;
    user() += "Expected length of the answer: about " + std::to_string(parts_.step->estimatedTokens) + " tokens.\n";
  }

  const PromptParts& parts_;
  Prompt prompt_;
  std::string inlined_;  // a byte for each dependency: vector<bool> would cost a kilobyte of module
  Removal sums_[kStripRules] = {};
  std::uint32_t saved_ = 0;
};

}  // namespace

Prompt assemble(const PromptParts& parts) {
  return Assembler(parts).run();
}

}  // namespace aetherflow
