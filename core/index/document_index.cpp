#include "core/index/document_index.hpp"

#include <algorithm>

namespace aetherflow {
namespace {

constexpr std::string_view kMagic = "AFDX0001";

bool before(const FileRecord& file, std::string_view path) {
  return file.path < path;
}

std::uint32_t readNumber(std::string_view bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}
void appendNumber(std::string& out, std::uint32_t value) {
  for (int i = 0; i < 4; ++i, value >>= 8) out += static_cast<char>(value);
}
void appendCheck(std::string& out, const Sha256& hash) {
  out.append(reinterpret_cast<const char*>(hash.data()), 8);
}
bool holds(std::string_view check, const Sha256& hash) {
  return check == std::string_view(reinterpret_cast<const char*>(hash.data()), 8);
}

}  // namespace

std::vector<FileRecord>::iterator DocumentIndex::placeOf(std::string_view path) {
  return std::lower_bound(files_.begin(), files_.end(), path, before);
}

const FileRecord* DocumentIndex::find(std::string_view path) const {
  const auto place = std::lower_bound(files_.begin(), files_.end(), path, before);
  return place != files_.end() && place->path == path ? &*place : nullptr;
}

bool DocumentIndex::put(std::string_view path, FileKind kind, std::string_view text, std::string_view given) {
  const auto place = placeOf(path);
  const bool there = place != files_.end() && place->path == path;
  if (there && place->kind == kind && place->hash == fileHash(text, given)) return false;
  fresh_ = false;
  FileRecord record = readRecord(words_, path, kind, text, given);
  if (there)
    *place = std::move(record);
  else
    files_.insert(place, std::move(record));
  return true;
}

bool DocumentIndex::remove(std::string_view path) {
  const auto place = placeOf(path);
  if (place == files_.end() || place->path != path) return false;
  files_.erase(place);
  fresh_ = false;
  return true;
}

void DocumentIndex::clear() {
  files_.clear();
  words_.clearTerms();
  fresh_ = false;
}

std::uint32_t DocumentIndex::sections() const {
  std::size_t count = 0;
  for (const FileRecord& file : files_) count += file.sections.size();
  return static_cast<std::uint32_t>(count);
}

std::uint32_t DocumentIndex::numberOf(SectionId id) {
  refresh();
  return firsts_[id.file] + id.section;
}

SectionId DocumentIndex::idOf(std::uint32_t number) {
  refresh();
  if (number >= fileOf_.size()) return {UINT32_MAX, 0};
  return {fileOf_[number], number - firsts_[fileOf_[number]]};
}

/// Words that no file has any more are forgotten when they have become the greater part.
void DocumentIndex::forgetUnused() {
  std::vector<std::uint32_t> used(words_.size(), 0);
  for (const FileRecord& file : files_)
    for (const TermCount& count : file.terms) used[count.term] = 1;
  const auto live = static_cast<std::size_t>(std::count(used.begin(), used.end(), 1u));
  if (words_.size() <= 4096 + 2 * live) return;
  std::vector<std::string> texts(words_.size());
  for (std::uint32_t term = 0; term < used.size(); ++term)
    if (used[term] != 0) texts[term] = words_.termText(term);
  words_.clearTerms();
  for (std::uint32_t term = 0; term < used.size(); ++term)
    if (used[term] != 0) used[term] = words_.addTerm(texts[term]);
  for (FileRecord& file : files_)
    for (TermCount& count : file.terms) count.term = used[count.term];
}

void DocumentIndex::refresh() {
  if (fresh_) return;
  fresh_ = true;
  forgetUnused();
  firsts_.clear();
  fileOf_.clear();
  lengths_.clear();
  starts_.assign(words_.size() + 1, 0);
  std::uint64_t text = 0, title = 0, path = 0;
  for (std::uint32_t f = 0; f < files_.size(); ++f) {
    firsts_.push_back(static_cast<std::uint32_t>(fileOf_.size()));
    fileOf_.resize(fileOf_.size() + files_[f].sections.size(), f);
    for (const SectionRecord& section : files_[f].sections) {
      text += section.words;
      title += section.titleWords;
      path += section.pathWords;
    }
    for (const TermCount& count : files_[f].terms) ++starts_[count.term + 1];
  }
  firsts_.push_back(static_cast<std::uint32_t>(fileOf_.size()));
  for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
  postings_.resize(starts_.back());
  const double count = std::max<double>(1, static_cast<double>(fileOf_.size()));
  const auto length = [&](std::uint32_t words, std::uint64_t all) {
    const double mean = static_cast<double>(all) / count;
    return static_cast<float>(1 - settings.b + settings.b * (mean > 0 ? words / mean : 1));
  };
  std::vector<std::uint32_t> next(starts_.begin(), starts_.end() - 1);
  for (std::uint32_t f = 0; f < files_.size(); ++f) {
    const FileRecord& file = files_[f];
    for (std::uint32_t s = 0; s < file.sections.size(); ++s) {
      const SectionRecord& section = file.sections[s];
      lengths_.push_back(
          {length(section.words, text), length(section.titleWords, title), length(section.pathWords, path)});
      for (std::uint32_t i = section.firstTerm; i < section.lastTerm; ++i) {
        const TermCount& at = file.terms[i];
        postings_[next[at.term]++] = {firsts_[f] + s, at.inText, at.inTitle, at.inPath};
      }
    }
  }
}

void DocumentIndex::write(std::string& out) const {
  out += kMagic;
  appendNumber(out, static_cast<std::uint32_t>(files_.size()));
  std::string bytes;
  for (const FileRecord& file : files_) {
    bytes.clear();
    writeRecord(bytes, file, words_);
    appendNumber(out, static_cast<std::uint32_t>(bytes.size()));
    appendCheck(out, sha256(bytes));
    out += bytes;
  }
}

int DocumentIndex::read(std::string_view bytes) {
  clear();
  if (bytes.size() < kMagic.size() + 4 || !bytes.starts_with(kMagic)) return -1;
  const std::uint32_t told = readNumber(bytes, kMagic.size());
  std::uint32_t good = 0;
  for (std::size_t at = kMagic.size() + 4; at + 12 <= bytes.size();) {
    const std::uint32_t size = readNumber(bytes, at);
    const std::string_view check = bytes.substr(at + 4, 8);
    at += 12;
    // The length itself may be damaged: nothing after it can be found then.
    if (size > bytes.size() - at) break;
    const std::string_view record = bytes.substr(at, size);
    at += size;
    FileRecord file;
    if (!holds(check, sha256(record)) || !parseRecord(record, words_, file)) continue;
    const auto place = placeOf(file.path);
    if (place != files_.end() && place->path == file.path) continue;
    files_.insert(place, std::move(file));
    ++good;
  }
  return static_cast<int>(told > good ? told - good : 0);
}

std::size_t DocumentIndex::memory() const {
  std::size_t bytes = postings_.capacity() * sizeof(Posting) + lengths_.capacity() * sizeof(Lengths) +
                      (starts_.capacity() + fileOf_.capacity()) * sizeof(std::uint32_t);
  for (const FileRecord& file : files_) {
    bytes += sizeof file + file.path.capacity() + file.terms.capacity() * sizeof(TermCount) +
             file.sections.capacity() * sizeof(SectionRecord);
  }
  // An entry of the table of words, its text and its number; about twice, for words as they are written.
  return bytes + words_.size() * 2 * 64;
}

}  // namespace aetherflow
