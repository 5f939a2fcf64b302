// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.ops.Batch;
import io.telechat.infer.generation.GenerationOptions;

/**
 * One sequence to be computed.
 *
 * @param prompt at least one id
 * @param options of the answer, with its length resolved; an empty one means up to the end of the context
 * @param adapter which of the model's adapters it goes through, counted from 0; {@link Batch.Span#NO_ADAPTER} for none
 * @param salt only prompts of the same salt share what has been computed of them
 * @param promptLogprobs how many alternatives to report with each token of the prompt; {@link GenerationOptions#NO_LOGPROBS} for
 *     no log-probabilities of the prompt
 * @param goal what is wanted of it
 */
public record Request(
        int[] prompt, GenerationOptions options, int adapter, String salt, int promptLogprobs, Goal goal) {
    /** @throws IllegalArgumentException if more rows are to be scored than the prompt has, or none */
    public Request {
        if (goal instanceof Goal.Score score && (score.wanted().length == 0 || score.wanted().length > prompt.length)) {
            throw new IllegalArgumentException(
                    score.wanted().length + " rows to be scored, of a prompt of " + prompt.length);
        }
    }

    /** Through the model's first adapter, if it has one. */
    public static Request of(int[] prompt, GenerationOptions options) {
        return of(prompt, options, new Goal.Generate());
    }

    /** The hidden state of the last token behind the final norm, scaled to length 1; see {@link EngineListener#embedded}. */
    public static Request embedding(int[] prompt) {
        return of(prompt, GenerationOptions.greedy(), new Goal.Embed());
    }

    /**
     * Log-probabilities of ids behind tokens of the prompt; see {@link EngineListener#scored}. What comes before the first row that
     * is scored may come from what was computed for others.
     *
     * @param wanted for each of the prompt's last rows, the ids; row i is what the model says behind token i
     */
    public static Request scoring(int[] prompt, int[][] wanted) {
        return of(prompt, GenerationOptions.greedy(), new Goal.Score(wanted));
    }

    private static Request of(int[] prompt, GenerationOptions options, Goal goal) {
        return new Request(prompt, options, 0, "", GenerationOptions.NO_LOGPROBS, goal);
    }

    /** How many tokens the context must have room for behind the prompt. */
    int room() {
        return goal instanceof Goal.Generate ? 1 : 0;
    }

    /** Through one of the model's adapters, or none. */
    public Request withAdapter(int number) {
        return new Request(prompt, options, number, salt, promptLogprobs, goal);
    }

    public Request withOptions(GenerationOptions other) {
        return new Request(prompt, other, adapter, salt, promptLogprobs, goal);
    }

    public Request withSalt(String text) {
        return new Request(prompt, options, adapter, text, promptLogprobs, goal);
    }

    public Request withPromptLogprobs(int alternatives) {
        return new Request(prompt, options, adapter, salt, alternatives, goal);
    }
}
