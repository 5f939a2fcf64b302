// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.engine;

import io.telechat.core.ops.Batch;
import io.telechat.infer.generation.GenerationOptions;

/**
 * One sequence to be generated.
 *
 * @param prompt at least one id
 * @param options with the length of the answer resolved; an empty one means up to the end of the context
 * @param adapter which of the model's adapters it goes through, counted from 0; {@link Batch.Span#NO_ADAPTER} for none
 * @param salt only prompts of the same salt share what has been computed of them
 * @param promptLogprobs how many alternatives to report with each token of the prompt; {@link GenerationOptions#NO_LOGPROBS} for
 *     no log-probabilities of the prompt
 * @param embedding whether the hidden state of the last token is wanted, and no answer
 */
public record Request(
        int[] prompt, GenerationOptions options, int adapter, String salt, int promptLogprobs, boolean embedding) {
    /** Through the model's first adapter, if it has one. */
    public static Request of(int[] prompt, GenerationOptions options) {
        return new Request(prompt, options, 0, "", GenerationOptions.NO_LOGPROBS, false);
    }

    /** The hidden state of the last token behind the final norm, scaled to length 1; see {@link EngineListener#embedded}. */
    public static Request embedding(int[] prompt) {
        GenerationOptions none = GenerationOptions.greedy();
        return new Request(prompt, none, 0, "", GenerationOptions.NO_LOGPROBS, true);
    }

    /** Through one of the model's adapters, or none. */
    public Request withAdapter(int number) {
        return new Request(prompt, options, number, salt, promptLogprobs, embedding);
    }

    public Request withOptions(GenerationOptions other) {
        return new Request(prompt, other, adapter, salt, promptLogprobs, embedding);
    }

    public Request withSalt(String text) {
        return new Request(prompt, options, adapter, text, promptLogprobs, embedding);
    }

    public Request withPromptLogprobs(int alternatives) {
        return new Request(prompt, options, adapter, salt, alternatives, embedding);
    }
}
