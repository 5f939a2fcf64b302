// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.thinking;

import io.telechat.core.tokenizer.IncrementalDecoder;
import io.telechat.core.tokenizer.Tokenizer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Divides what a model generates into its thoughts and its answer, token by token, and says which tokens have to come once the
 * thoughts are long enough. What it says depends on the tokens alone, so that a sequence may be computed again. Thoughts come
 * without blanks at their ends, the answer without blanks in front. Not thread-safe.
 */
public final class ThoughtSplitter {
    private static final Split FORCED = new Split("", "", false, true);

    /** Where a generation has come to. */
    public enum Part {
        /** So far it may still begin with thoughts. */
        UNDECIDED,
        THOUGHTS,
        ANSWER
    }

    private final Supplier<Optional<IncrementalDecoder>> decoders;
    private final Optional<ThoughtMarks> marks;
    private final OptionalInt openId;
    private final OptionalInt closeId;
    private final int[] closing;
    private final int maxTokens;

    private final StringBuilder undecided = new StringBuilder();
    private final Deque<Integer> forced = new ArrayDeque<>();
    private final BlankTrimmer thoughts = new BlankTrimmer();
    private final Optional<MarkFinder> closeInText;
    private Optional<IncrementalDecoder> decoder;
    private Part part;
    private int tokens;
    private boolean answerHasText;

    private ThoughtSplitter(
            Supplier<Optional<IncrementalDecoder>> decoders,
            Optional<ThoughtMarks> marks,
            Optional<MarkIds> ids,
            int maxTokens) {
        this.decoders = decoders;
        this.marks = marks;
        this.openId = ids.map(MarkIds::open).orElse(OptionalInt.empty());
        this.closeId = ids.map(MarkIds::close).orElse(OptionalInt.empty());
        this.closing = ids.map(MarkIds::closing).orElse(new int[0]);
        this.maxTokens = maxTokens;
        this.closeInText = marks.filter(m -> closeId.isEmpty()).map(m -> new MarkFinder(m.close()));
        this.decoder = decoders.get();
        this.part = marks.map(m -> m.begun() ? Part.THOUGHTS : Part.UNDECIDED).orElse(Part.ANSWER);
        if (maxTokens == 0) {
            ids.ifPresent(i -> force(i.none()));
        }
    }

    /**
     * All is answer, as it is.
     *
     * @param shown special tokens that are text
     */
    public static ThoughtSplitter none(Optional<Tokenizer> tokenizer, Set<Integer> shown) {
        return new ThoughtSplitter(
                () -> tokenizer.map(t -> t.newDecoder(shown)), Optional.empty(), Optional.empty(), Integer.MAX_VALUE);
    }

    /**
     * @param maxTokens of thoughts, behind which their closing mark is forced
     * @param shown special tokens that are text
     */
    public static ThoughtSplitter of(
            ThoughtMarks marks, OptionalInt maxTokens, Tokenizer tokenizer, Set<Integer> shown) {
        return new ThoughtSplitter(
                () -> Optional.of(tokenizer.newDecoder(shown)),
                Optional.of(marks),
                Optional.of(MarkIds.of(marks, tokenizer)),
                maxTokens.orElse(Integer.MAX_VALUE));
    }

    public Part part() {
        return part;
    }

    /** The piece that begins thoughts, where it is one. */
    public OptionalInt openId() {
        return openId;
    }

    /** The token that has to be next, if the model has no choice. */
    public OptionalInt forced() {
        return forced.isEmpty() ? OptionalInt.empty() : OptionalInt.of(forced.peek());
    }

    /** Takes a token; a forced one, if there is any. */
    public Split add(int id) {
        if (!forced.isEmpty()) {
            forced.remove();
            if (forced.isEmpty()) {
                begin(Part.ANSWER);
            }
            return FORCED;
        }
        return switch (part) {
            case UNDECIDED -> undecided(id);
            case THOUGHTS -> thought(id);
            case ANSWER -> Split.answer(answer(decode(id)));
        };
    }

    /** What was held back, once no more tokens come. */
    public Split finish() {
        if (!forced.isEmpty()) {
            return Split.NOTHING;
        }
        return switch (part) {
            case UNDECIDED -> Split.answer(answer(undecided + rest()));
            case THOUGHTS -> new Split(endOfThoughts(), "", false, false);
            case ANSWER -> Split.answer(answer(rest()));
        };
    }

    private Split undecided(int id) {
        if (is(id, openId) || is(id, closeId)) {
            undecided.setLength(0);
            begin(is(id, openId) ? Part.THOUGHTS : Part.ANSWER);
            return Split.NOTHING;
        }
        String text = undecided.append(decode(id)).toString();
        String begun = text.substring(leadingBlanks(text));
        String open = marks.orElseThrow().open();
        if (begun.isEmpty() || openId.isEmpty() && begun.length() < open.length() && open.startsWith(begun)) {
            return Split.NOTHING;
        }
        undecided.setLength(0);
        if (openId.isEmpty() && begun.startsWith(open)) {
            part = Part.THOUGHTS;
            Split split = thoughts(begun.substring(open.length()));
            return new Split(split.thoughts(), split.answer(), false, false);
        }
        part = Part.ANSWER;
        return Split.answer(answer(begun));
    }

    private Split thought(int id) {
        if (is(id, closeId)) {
            String rest = endOfThoughts();
            begin(Part.ANSWER);
            return new Split(rest, "", false, false);
        }
        tokens++;
        // Some models open what the prompt has opened once more.
        Split split = is(id, openId) ? Split.thoughts("") : thoughts(decode(id));
        if (part == Part.THOUGHTS && tokens >= maxTokens) {
            String all = split.thoughts() + endOfThoughts();
            force(closing);
            return Split.thoughts(all);
        }
        return split;
    }

    private Split thoughts(String text) {
        if (closeInText.isEmpty()) {
            return Split.thoughts(thoughts.add(text));
        }
        MarkFinder.Found found = closeInText.get().add(text);
        String before = thoughts.add(found.before());
        if (found.behind().isEmpty()) {
            return Split.thoughts(before);
        }
        part = Part.ANSWER; // the decoder goes on: nothing in what it is given has been left out
        return new Split(before, answer(found.behind().get()), true, false);
    }

    /** Lets go of what may have been the beginning of a mark, or of a character. */
    private String endOfThoughts() {
        return thoughts.add(closeInText
                .map(finder -> finder.add(rest()).before() + finder.finish())
                .orElseGet(this::rest));
    }

    private String answer(String text) {
        if (marks.isEmpty() || answerHasText) {
            return text;
        }
        int from = leadingBlanks(text);
        answerHasText = from < text.length();
        return text.substring(from);
    }

    private static int leadingBlanks(String text) {
        int count = 0;
        while (count < text.length() && BlankTrimmer.isBlank(text.charAt(count))) {
            count++;
        }
        return count;
    }

    private void force(int... ids) {
        Arrays.stream(ids).forEach(forced::add);
    }

    /** Behind a mark, text is decoded anew. */
    private void begin(Part next) {
        part = next;
        decoder = decoders.get();
    }

    private static boolean is(int id, OptionalInt mark) {
        return mark.isPresent() && mark.getAsInt() == id;
    }

    private String decode(int id) {
        return decoder.map(d -> d.add(id)).orElse("");
    }

    private String rest() {
        return decoder.map(IncrementalDecoder::finish).orElse("");
    }
}
