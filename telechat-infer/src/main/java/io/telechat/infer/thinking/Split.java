// SPDX-License-Identifier: Apache-2.0
package io.telechat.infer.thinking;

/**
 * What a token adds.
 *
 * @param thoughts to the text of the thoughts
 * @param answer to the text of the answer
 * @param isThought whether the token counts as one of the thoughts; neither a mark that is one piece nor what is forced does
 * @param isForced whether it was not the model's choice
 */
public record Split(String thoughts, String answer, boolean isThought, boolean isForced) {
    /** A token without text, such as a mark. */
    public static final Split NOTHING = new Split("", "", false, false);

    static Split thoughts(String text) {
        return new Split(text, "", true, false);
    }

    static Split answer(String text) {
        return new Split("", text, false, false);
    }

    /** The same but for what the answer gets. */
    public Split withoutAnswer() {
        return new Split(thoughts, "", isThought, isForced);
    }
}
