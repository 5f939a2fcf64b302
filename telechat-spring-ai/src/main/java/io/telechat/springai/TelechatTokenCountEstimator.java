// SPDX-License-Identifier: Apache-2.0
package io.telechat.springai;

import io.telechat.infer.ChatModel;
import org.springframework.ai.content.MediaContent;
import org.springframework.ai.tokenizer.TokenCountEstimator;

/** Spring AI's {@code TokenCountEstimator} with a model's own tokenizer: exact for texts. Anything but text counts nothing. */
public final class TelechatTokenCountEstimator implements TokenCountEstimator {
    private final ChatModel model;

    public TelechatTokenCountEstimator(ChatModel model) {
        this.model = model;
    }

    @Override
    public int estimate(String text) {
        return text == null ? 0 : model.countTokens(text);
    }

    @Override
    public int estimate(MediaContent content) {
        return estimate(content.getText());
    }

    @Override
    public int estimate(Iterable<MediaContent> messages) {
        int all = 0;
        for (MediaContent message : messages) {
            all += estimate(message);
        }
        return all;
    }
}
