// SPDX-License-Identifier: Apache-2.0
package io.telechat.eval.model;

import io.telechat.core.InvalidRequestException;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.eval.task.Query;
import io.telechat.eval.text.PythonText;
import io.telechat.infer.engine.RowScore;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.IntFunction;

/**
 * The tokens of a prompt and of the answers that may follow it. Answers that differ in their last token alone need one pass
 * through the model: it has read the same when it comes to tell them apart.
 *
 * @param context of the prompt
 * @param texts the answers, as they stand behind the prompt
 * @param answers ids of each
 */
record ChoiceTokens(int[] context, List<String> texts, List<int[]> answers) {
    private static final int SHOWN = 60;

    /**
     * Tokens that are read in one go.
     *
     * @param input ids
     * @param firstRow whose logits tell of the first token of an answer
     * @param members places of the answers that it tells of
     * @param wanted ids, row by row
     */
    record Pass(int[] input, int firstRow, List<Integer> members, int[][] wanted) {}

    /**
     * Behind a text, as lm-evaluation-harness splits it: blanks at the end of the prompt belong to the answers, and the ids of an
     * answer are those of prompt and answer together behind as many as the prompt alone has.
     *
     * @param ends ids that end a text, one of which stands for an empty prompt
     */
    static ChoiceTokens ofText(Tokenizer tokenizer, String prompt, Query.Choice choice, Set<Integer> ends) {
        List<String> texts =
                choice.answers().stream().map(a -> choice.delimiter() + a).toList();
        if (prompt.isEmpty()) {
            int end = ends.stream()
                    .min(Integer::compare)
                    .orElseThrow(() -> new InvalidRequestException(
                            "a prompt is empty, and the model has no token that ends a text to stand for it"));
            return new ChoiceTokens(
                    new int[] {end},
                    texts,
                    texts.stream().map(tokenizer::encode).toList());
        }
        String stripped = PythonText.rstrip(prompt);
        String blanks = prompt.substring(stripped.length());
        int[] context = tokenizer.encode(stripped);
        List<int[]> answers = new ArrayList<>();
        for (String text : texts) {
            int[] whole = tokenizer.encode(stripped + blanks + text);
            answers.add(Arrays.copyOfRange(whole, Math.min(context.length, whole.length), whole.length));
        }
        return new ChoiceTokens(context, texts, answers);
    }

    /** Behind a conversation, as the model's own answers. */
    static ChoiceTokens ofDialog(Tokenizer tokenizer, int[] context, Query.Choice choice) {
        return new ChoiceTokens(
                context,
                choice.answers(),
                choice.answers().stream().map(tokenizer::encode).toList());
    }

    /** What was found out about one answer: the sum of its log-probabilities, and whether it is what the model would say. */
    record Found(double sum, boolean greedy) {}

    /** How many of the prompt's first tokens an answer leaves no room for. */
    private int cut(int index, int maxLength) {
        return Math.max(0, context.length + answers.get(index).length - (maxLength + 1));
    }

    /**
     * Prompt and answer, without what there is no room for.
     *
     * @param maxLength tokens that are read in one go at most; the last one need not be
     */
    int[] whole(int index, int maxLength) {
        int[] answer = answers.get(index);
        int cut = cut(index, maxLength);
        if (answer.length == 0 || cut >= context.length) {
            String text = texts.get(index);
            throw new InvalidRequestException(
                    "\"%s\" has %d tokens, must have from 1 to %,d",
                    text.length() > SHOWN ? text.substring(0, SHOWN) + "…" : text, answer.length, maxLength);
        }
        int[] whole = Arrays.copyOfRange(context, cut, context.length + answer.length);
        System.arraycopy(answer, 0, whole, context.length - cut, answer.length);
        return whole;
    }

    /** @param maxLength tokens that are read in one go at most */
    List<Pass> passes(int maxLength) {
        List<Pass> passes = new ArrayList<>();
        for (int i = 0; i < answers.size(); i++) {
            int[] whole = whole(i, maxLength);
            add(passes, i, Arrays.copyOf(whole, whole.length - 1), whole.length - answers.get(i).length - 1);
        }
        return passes.stream().map(this::asking).toList();
    }

    private static void add(List<Pass> passes, int member, int[] input, int firstRow) {
        for (Pass pass : passes) {
            if (pass.firstRow == firstRow && Arrays.equals(pass.input, input)) {
                pass.members.add(member);
                return;
            }
        }
        passes.add(new Pass(input, firstRow, new ArrayList<>(List.of(member)), new int[0][]));
    }

    private Pass asking(Pass pass) {
        int[][] wanted = new int[pass.input.length - pass.firstRow][];
        for (int row = 0; row < wanted.length; row++) {
            Set<Integer> ids = new TreeSet<>();
            for (int member : pass.members) {
                ids.add(answers.get(member)[row]);
            }
            wanted[row] = ids.stream().mapToInt(id -> id).toArray();
        }
        return new Pass(pass.input, pass.firstRow, pass.members, wanted);
    }

    /** @param scores of the rows of each pass */
    Likelihoods likelihoods(List<Pass> passes, List<List<RowScore>> scores, int maxLength) {
        Found[] found = new Found[answers.size()];
        for (int p = 0; p < passes.size(); p++) {
            Pass pass = passes.get(p);
            for (int member : pass.members) {
                found[member] = found(pass, scores.get(p), answers.get(member));
            }
        }
        return likelihoods(index -> found[index], maxLength);
    }

    private static Found found(Pass pass, List<RowScore> scores, int[] answer) {
        double sum = 0;
        boolean greedy = true;
        for (int row = 0; row < answer.length; row++) {
            RowScore score = scores.get(row);
            sum += score.logprobs()[Arrays.binarySearch(pass.wanted[row], answer[row])];
            greedy &= score.argmax() == answer[row];
        }
        return new Found(sum, greedy);
    }

    /** @param finding finds out about the answer of that place */
    Likelihoods likelihoods(IntFunction<Found> finding, int maxLength) {
        double[] sums = new double[answers.size()];
        boolean[] greedy = new boolean[answers.size()];
        int[] truncated = new int[answers.size()];
        for (int i = 0; i < sums.length; i++) {
            Found found = finding.apply(i);
            sums[i] = found.sum;
            greedy[i] = found.greedy;
            truncated[i] = cut(i, maxLength);
        }
        return new Likelihoods(context.length, texts, answers, truncated, sums, greedy);
    }
}
