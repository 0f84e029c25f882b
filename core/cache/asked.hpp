#pragma once
// What a prompt asks for: "what is X" and "how do I X" speak of the same, and have other answers.

#include <cstddef>
#include <cstdint>

#include "core/cache/sentence.hpp"

namespace aetherflow {

/// By the first word that asks, else by the first word of all.
enum class Asked : std::uint8_t {
  Thing,  ///< no word tells: a noun, a task
  What,   ///< "what", "which"; also "list the …", "show me …"
  Definition,
  Instruction,  ///< "how do I", "what is the way to"
  How,
  Measure,  ///< "how long", "how much"
  Why,
  When,
  Where,
  Who,
  Count,
  Whether
};

Asked askedBy(const ReadSentence& sentence);

/// "What happens when the disk is full": what follows, not when or why it is so.
bool asksWhatFollows(const ReadSentence& sentence);

/// 0 the same; 1 may be the same: "what time", "when"; 2 something else.
std::size_t apart(Asked a, Asked b);

/// Something else for certain: "who" for "when", "are" for "why are". A task without a question word may ask for anything.
bool asksOther(Asked a, Asked b);

}  // namespace aetherflow
