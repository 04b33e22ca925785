/* sentence.h -- how the runtime speaks of an error: one line of text to a person. */
#ifndef RUNTIME_SENTENCE_H
#define RUNTIME_SENTENCE_H

/* As printf; malloc'd, the caller frees it. Control characters, which file names and headers may
 * smuggle in, become '?'. Where memory is out the sentence says so instead; NULL only when not
 * even that could be allocated. */
char *sentence(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
