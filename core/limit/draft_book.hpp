#pragma once
// What is known of one model's drafts for another, and whether they are worth making: two sequential tests (Wald) over what
// verifiers and comparisons said, in whole numbers, so that equal streams give equal decisions everywhere.
//
//   accepts  H0 75 % accepted   H1 60 %      regrets  H0 2 % of accepted drafts are worse than a full answer   H1 8 %
//   both with α = 5 % and β = 10 %. A pair that has passed is watched on by the same sum, held from below (Page's CUSUM) and with more
//   to climb: a test that began again after each pass would switch off two of three good pairs within 1,000 answers. What that comes
//   to over 10,000 seeded streams is printed and held by tests/core/draft_book_test.cpp.

#include <array>
#include <cstdint>
#include <vector>

namespace aetherflow {

/// What became of a draft, or of its comparison. Refused: there was none, since the pair is switched off.
enum class DraftOutcome : std::uint8_t { Accepted, Patched, Rejected, Agrees, Regrets, Refused, Count };

/// The numbers of a pair, as they are kept between runs.
enum class DraftField : std::uint8_t {
  Drafted,   ///< drafts with a verdict
  Accepted,  ///< as they were
  Patched,
  Audited,     ///< of the accepted ones those that were compared
  Regrets,     ///< of these those that were worse
  AcceptTest,  ///< log-likelihood ratio so far, in 1/1,000,000
  RegretTest,
  Off,       ///< 0: on; 1: too few were accepted; 2: too many were regretted
  ProbeIn,   ///< 0: on; else so many are refused until one is tried
  Switched,  ///< how often it was switched off
  Count
};
inline constexpr int kDraftFields = static_cast<int>(DraftField::Count);

/// While a pair is switched off one draft of so many is made all the same.
inline constexpr std::int64_t kDraftProbe = 50;

class DraftRecord {
 public:
  std::int64_t get(DraftField field) const { return values_[static_cast<std::size_t>(field)]; }
  /// What a file says is taken as it is, within 0 … 10^9 and, of the tests, ± 10^7.
  void set(DraftField field, std::int64_t value);
  void tell(DraftOutcome outcome);

 private:
  std::int64_t& at(DraftField field) { return values_[static_cast<std::size_t>(field)]; }
  void step(DraftField test, std::int64_t by, std::int64_t off);

  std::array<std::int64_t, kDraftFields> values_{};
};

}  // namespace aetherflow
