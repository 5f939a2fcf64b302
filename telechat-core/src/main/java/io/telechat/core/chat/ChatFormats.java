// SPDX-License-Identifier: Apache-2.0
package io.telechat.core.chat;

import io.telechat.core.InvalidModelException;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.Message;
import io.telechat.core.TelechatException;
import io.telechat.core.tokenizer.Tokenizer;
import io.telechat.core.tokenizer.TokenizerFiles;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which chat format a checkpoint has. The families that are written by hand here show in their tokenizers; a template beside the
 * tokenizer says what the checkpoint was trained with. Where there is one, it decides: between formats of a family by which of them
 * renders the same, or else it is used itself. TeleChat's before TeleChat3 are known well enough to go without, but for T1.
 */
final class ChatFormats {
    private static final Logger LOG = LoggerFactory.getLogger(ChatFormats.class);
    private static final List<ChatMessage> SAMPLE = List.of(
            ChatMessage.system("Be brief."),
            ChatMessage.user("One?"),
            ChatMessage.assistant("Two."),
            ChatMessage.user("Three?"));

    private ChatFormats() {}

    /**
     * @param files what lies beside the tokenizer
     * @param clock for templates that ask what day it is
     */
    static ChatTemplate of(TemplateFiles files, TokenizerFiles tokenizer, Clock clock) {
        List<ChatTemplate> known = known(tokenizer);
        boolean isOldTeleChat =
                known.stream().anyMatch(t -> t instanceof WholeTextTemplate || t instanceof TokenTemplate);
        if (files.template().isEmpty() || isOldTeleChat) {
            return known.isEmpty()
                    ? none(files, Message.of("there is no chat_template beside its tokenizer"))
                    : known.getFirst();
        }
        try {
            JinjaRendering rendering = JinjaRendering.of(files, clock).orElseThrow();
            if (known.stream().anyMatch(TeleChat2Template.class::isInstance)) {
                boolean thinks = rendering.prompt(SAMPLE).strip().endsWith(Thoughts.OPEN);
                return thinks ? known.getLast() : known.getFirst();
            }
            return known.stream()
                    .filter(format -> rendersAs(rendering, format, tokenizer.tokenizer()))
                    .findFirst()
                    .orElseGet(() -> new JinjaChatTemplate(
                            rendering,
                            tokenizer.added(),
                            Optional.ofNullable(files.tokens().get("eos_token"))));
        } catch (InvalidModelException | InvalidRequestException e) {
            return withoutTemplate(files, known, e);
        }
    }

    private static ChatTemplate withoutTemplate(TemplateFiles files, List<ChatTemplate> known, TelechatException e) {
        if (known.isEmpty()) {
            return none(files, e.message());
        }
        LOG.warn(Message.localized("%s; the family's usual chat format is used instead", e.message()));
        boolean isT1 = known.getLast() instanceof TeleChat2Template
                && files.template().orElse("").contains(Thoughts.OPEN);
        return isT1 ? known.getLast() : known.getFirst();
    }

    private static NoChatTemplate none(TemplateFiles files, Message why) {
        return new NoChatTemplate(why, Optional.ofNullable(files.tokens().get("eos_token")));
    }

    /** The formats of a tokenizer's family, the usual one first. */
    private static List<ChatTemplate> known(TokenizerFiles files) {
        Tokenizer tokenizer = files.tokenizer();
        boolean hasRoles = tokenizer.id(TokenTemplate.USER).isPresent()
                && tokenizer.id(TokenTemplate.BOT).isPresent();
        return switch (files.kind()) {
            case SENTENCE_PIECE_WITH_CONTROL_MARKS -> {
                if (files.adds(Thoughts.OPEN)) {
                    yield List.of(new TeleChat3Template(false), new TeleChat3Template(true));
                }
                Optional<TokenTemplate> plain =
                        files.adds(TokenTemplate.USER) ? Optional.empty() : Optional.of(new TokenTemplate(true, false));
                yield List.of(new TeleChat2Template(plain, false), new TeleChat2Template(plain, true));
            }
            case SENTENCE_PIECE -> {
                if (hasRoles) {
                    yield List.of(new TokenTemplate(false, true));
                }
                yield List.of(Llama2Template.isLlama(tokenizer) ? new Llama2Template() : new WholeTextTemplate());
            }
            case JSON -> hasRoles ? List.of(new TokenTemplate(false, true)) : List.of();
            case TIKTOKEN -> List.of(new Qwen1Template());
        };
    }

    private static boolean rendersAs(JinjaRendering rendering, ChatTemplate format, Tokenizer tokenizer) {
        try {
            return Arrays.equals(tokenizer.encode(rendering.prompt(SAMPLE)), format.render(tokenizer, SAMPLE));
        } catch (InvalidRequestException e) {
            return false;
        }
    }
}
