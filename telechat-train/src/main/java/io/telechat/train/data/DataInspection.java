// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Whether samples are what training takes them for.
 *
 * @param samples looked at
 * @param dialogs in them
 * @param tokens in them, padding left out
 * @param trainedTokens of these
 * @param answers stretches of trained tokens
 * @param lengths number of dialogs by tenths of a sample: [0] up to a tenth, … [9] up to a whole
 * @param problems what is wrong, in words, at most {@link #MAX_PROBLEMS}
 */
public record DataInspection(
        @JsonProperty("samples") int samples,
        @JsonProperty("dialogs") long dialogs,
        @JsonProperty("tokens") long tokens,
        @JsonProperty("trained_tokens") long trainedTokens,
        @JsonProperty("answers") long answers,
        @JsonProperty("lengths") long[] lengths,
        @JsonProperty("problems") List<String> problems) {
    static final int MAX_PROBLEMS = 20;

    private static final int TENTHS = 10;

    /** @param tokenizer to check begins and ends of answers; without it only padding and mask are checked */
    public static DataInspection of(TrainingData data, Optional<ChatTokenizer> tokenizer) {
        Inspector inspector = new Inspector(data, tokenizer);
        for (int i = 0; i < data.samples(); i++) {
            inspector.sample(i, data.sample(i));
        }
        return inspector.result();
    }

    private static final class Inspector {
        private final TrainingData data;
        private final Optional<ChatTokenizer> tokenizer;
        private final int[] opening;
        private final long[] lengths = new long[TENTHS];
        private final List<String> problems = new ArrayList<>();
        private long dialogs;
        private long tokens;
        private long trained;
        private long answers;

        Inspector(TrainingData data, Optional<ChatTokenizer> tokenizer) {
            this.data = data;
            this.tokenizer = tokenizer;
            this.opening = tokenizer.map(ChatTokenizer::opening).orElse(new int[0]);
        }

        void sample(int index, TrainingData.Sample sample) {
            int length = sample.ids().length;
            if (!isTrained(sample)) {
                problem("sample %d: has no token to train".formatted(index));
            }
            for (int from = 0; from < length; ) {
                int to = from + 1;
                while (to < length && sample.sequences()[to] == sample.sequences()[from]) {
                    to++;
                }
                if (sample.sequences()[from] == 0) {
                    padding(index, sample, from, to);
                } else {
                    dialog(index, sample, from, to);
                }
                from = to;
            }
        }

        /** The first token of a dialog follows nothing, so it is never learned. */
        private static boolean isTrained(TrainingData.Sample sample) {
            for (int i = 1; i < sample.ids().length; i++) {
                int sequence = sample.sequences()[i];
                if (sample.mask()[i] == 1 && sequence != 0 && sequence == sample.sequences()[i - 1]) {
                    return true;
                }
            }
            return false;
        }

        private void padding(int index, TrainingData.Sample sample, int from, int to) {
            for (int i = from; i < to; i++) {
                if (sample.mask()[i] != 0) {
                    problem("sample %d: padding at %d is trained".formatted(index, i));
                    return;
                }
            }
        }

        private void dialog(int index, TrainingData.Sample sample, int from, int to) {
            dialogs++;
            tokens += to - from;
            lengths[Math.min(TENTHS - 1, (to - from - 1) * TENTHS / sample.ids().length)]++;
            for (int i = from; i < to; i++) {
                if (sample.mask()[i] != 0 && sample.mask()[i] != 1) {
                    problem("sample %d: mask %d at %d".formatted(index, sample.mask()[i], i));
                }
                if (tokenizer.isPresent() && !tokenizer.get().tokenizer().has(sample.ids()[i])) {
                    problem("sample %d: the tokenizer has no id %d, at %d".formatted(index, sample.ids()[i], i));
                    return;
                }
            }
            for (int i = from; i < to; ) {
                int end = i + 1;
                while (end < to && sample.mask()[end] == sample.mask()[i]) {
                    end++;
                }
                if (sample.mask()[i] == 1) {
                    answer(index, sample, from, i, end);
                }
                i = end;
            }
        }

        private void answer(int index, TrainingData.Sample sample, int dialog, int from, int to) {
            answers++;
            trained += to - from;
            if (tokenizer.isEmpty()) {
                return;
            }
            Tokenizer pieces = tokenizer.get().tokenizer();
            boolean isText = from == dialog;
            if (!isText && opening.length > 0) {
                int[] before = Arrays.copyOfRange(sample.ids(), Math.max(dialog, from - 2 * opening.length), from);
                if (!endsWithOpening(pieces, before)) {
                    problem("sample %d: the trained tokens at %d do not begin behind %s but behind '%s'"
                            .formatted(index, from, spelled(pieces, opening), pieces.decode(before)));
                }
            }
            int end = tokenizer.get().template().endId(pieces);
            if (!isText && sample.ids()[to - 1] != end) {
                problem("sample %d: the answer at %d … %d has no end token".formatted(index, from, to));
            }
        }

        /** Its marks are pieces, which decoding may leave out; or they are text, which other pieces can make up. */
        private boolean endsWithOpening(Tokenizer pieces, int[] ids) {
            return spelled(pieces, ids).endsWith(spelled(pieces, opening));
        }

        private static String spelled(Tokenizer pieces, int[] ids) {
            return IntStream.of(ids).mapToObj(pieces::piece).collect(Collectors.joining());
        }

        private void problem(String text) {
            if (problems.size() < MAX_PROBLEMS) {
                problems.add(text);
            }
        }

        DataInspection result() {
            return new DataInspection(data.samples(), dialogs, tokens, trained, answers, lengths, problems);
        }
    }
}
