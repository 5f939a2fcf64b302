// SPDX-License-Identifier: Apache-2.0
package io.telechat.train.data;

import com.fasterxml.jackson.databind.JsonNode;
import io.telechat.core.InvalidRequestException;
import io.telechat.core.chat.ChatMessage;
import io.telechat.core.chat.ChatTokenizer;
import io.telechat.core.chat.Role;
import io.telechat.core.chat.SystemMessages;
import io.telechat.train.data.BadLineException.Reason;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Encodes a conversation exactly as {@code telechat chat} feeds it: the prompt of the last answer in the architecture's chat
 * format, then the answer and the id that ends it. The reference encodes each turn on its own instead, so that its model
 * is trained on other ids than it is later given; see {@link ReferenceEncoder}.
 */
final class ChatEncoder implements DialogEncoder {
    private final ChatTokenizer tokenizer;
    private final int documentEndId;
    private final DialogParser parser;
    private final boolean trainAllAnswers;
    private final boolean forgetsThoughts;
    private final SystemMessages systemMessages;
    private final LongDialogs longDialogs;
    private final int capacity;

    /**
     * @param trainAllAnswers whether every answer is trained, or the last one only
     * @param systemMessages what becomes of those that the chat format has no place for
     * @param capacity most tokens of a dialog
     */
    ChatEncoder(
            ChatTokenizer tokenizer,
            boolean trainAllAnswers,
            SystemMessages systemMessages,
            LongDialogs longDialogs,
            int capacity) {
        this.tokenizer = tokenizer;
        this.documentEndId = tokenizer.template().documentEndId(tokenizer.tokenizer());
        this.parser = new DialogParser(tokenizer::markers, tokenizer.tools());
        this.trainAllAnswers = trainAllAnswers;
        this.forgetsThoughts = tokenizer.template().thinking().isPresent();
        this.systemMessages = systemMessages;
        this.longDialogs = longDialogs;
        this.capacity = capacity;
    }

    @Override
    public Encoded encode(JsonNode line) throws BadLineException {
        return switch (parser.parse(line)) {
            case Dialog.Text text -> text(text.text());
            case Dialog.Conversation conversation -> {
                try {
                    yield conversation(conversation.messages());
                } catch (InvalidRequestException e) { // the format has no such message
                    if (tokenizer.template().whyNone().isPresent()) {
                        throw e; // nor any other: not this line's fault
                    }
                    throw new BadLineException(Reason.UNUSABLE_ROLE, e.message());
                }
            }
        };
    }

    /** Text longer than a row goes on in the next one. */
    private Encoded text(String text) {
        EncodedDialog all = new EncodedDialog.Builder()
                .add(tokenizer.document(text), true)
                .add(documentEndId, true)
                .build();
        List<EncodedDialog> parts = new ArrayList<>();
        for (int from = 0; from < all.length(); from += capacity) {
            int to = Math.min(all.length(), from + capacity);
            parts.add(new EncodedDialog(
                    Arrays.copyOfRange(all.ids(), from, to), Arrays.copyOfRange(all.mask(), from, to)));
        }
        return new Encoded(parts, 0);
    }

    private Encoded conversation(List<ChatMessage> messages) {
        return trainAllAnswers && forgetsThoughts ? eachAnswer(messages) : fitted(messages);
    }

    /** Prompts that hold earlier answers without their thoughts cannot be one row with these answers: each answer has its own. */
    private Encoded eachAnswer(List<ChatMessage> messages) {
        List<EncodedDialog> dialogs = new ArrayList<>();
        int tooLong = 0;
        for (int i = 0; i < messages.size(); i++) {
            if (messages.get(i).role() == Role.ASSISTANT) {
                Encoded one = fitted(messages.subList(0, i + 1));
                dialogs.addAll(one.dialogs());
                tooLong += one.tooLong();
            }
        }
        return new Encoded(dialogs, tooLong);
    }

    private Encoded fitted(List<ChatMessage> messages) {
        EncodedDialog whole = encode(messages);
        if (whole.length() <= capacity) {
            return new Encoded(List.of(whole), 0);
        }
        return switch (longDialogs) {
            case DROP -> new Encoded(List.of(), 1);
            case TRUNCATE_OLDEST -> newestTurns(messages);
            case SPLIT -> split(messages);
        };
    }

    private Encoded newestTurns(List<ChatMessage> messages) {
        List<List<ChatMessage>> turns = turns(messages);
        for (int from = 1; from < turns.size(); from++) {
            EncodedDialog rest = encode(join(messages, turns.subList(from, turns.size())));
            if (rest.length() <= capacity) {
                return new Encoded(List.of(rest), 0);
            }
        }
        return new Encoded(List.of(), 1);
    }

    /** As many whole turns as fit make a dialog, the next ones another. */
    private Encoded split(List<ChatMessage> messages) {
        List<List<ChatMessage>> turns = turns(messages);
        List<EncodedDialog> parts = new ArrayList<>();
        int tooLong = 0;
        for (int from = 0; from < turns.size(); ) {
            EncodedDialog part = null;
            int to = from;
            while (to < turns.size()) {
                EncodedDialog longer = encode(join(messages, turns.subList(from, to + 1)));
                if (longer.length() > capacity) {
                    break;
                }
                part = longer;
                to++;
            }
            if (part == null) {
                tooLong++;
                to++;
            } else {
                parts.add(part);
            }
            from = to;
        }
        return new Encoded(parts, tooLong);
    }

    /** A turn is a question with all that follows until the next one, and with a system message right in front of it. */
    private static List<List<ChatMessage>> turns(List<ChatMessage> messages) {
        List<List<ChatMessage>> turns = new ArrayList<>();
        boolean begun = false; // by a system message that waits for its question
        for (ChatMessage message : messages.subList(startsWithSystem(messages) ? 1 : 0, messages.size())) {
            boolean opens = message.role() == Role.USER || message.role() == Role.SYSTEM;
            if (opens && !begun) {
                turns.add(new ArrayList<>());
            }
            begun = message.role() == Role.SYSTEM;
            if (!turns.isEmpty()) {
                turns.getLast().add(message);
            }
        }
        return turns;
    }

    private static boolean startsWithSystem(List<ChatMessage> messages) {
        return messages.getFirst().role() == Role.SYSTEM;
    }

    private static List<ChatMessage> join(List<ChatMessage> messages, List<List<ChatMessage>> turns) {
        List<ChatMessage> joined = new ArrayList<>();
        if (startsWithSystem(messages)) {
            joined.add(messages.getFirst());
        }
        turns.forEach(joined::addAll);
        return joined;
    }

    private EncodedDialog encode(List<ChatMessage> conversation) {
        List<ChatMessage> messages = tokenizer.placed(conversation, systemMessages);
        int[] prompt = prompt(messages.subList(0, messages.size() - 1));
        if (!trainAllAnswers || forgetsThoughts) {
            return answer(new EncodedDialog.Builder().add(prompt, false), messages.getLast())
                    .build();
        }
        EncodedDialog.Builder dialog = new EncodedDialog.Builder();
        int answered = 0;
        for (int i = 0; i < messages.size(); i++) {
            if (messages.get(i).role() == Role.ASSISTANT) {
                addPrompt(dialog, messages, answered, i);
                answer(dialog, messages.get(i));
                answered = i + 1;
            }
        }
        return dialog.build();
    }

    /**
     * Formats whose marks are ids give the same ids for the beginning of a conversation, however it goes on, so that what
     * the next prompt adds can be taken from it. The 52B's encodes a conversation as one string: there a later turn is
     * encoded on its own, as the reference trains it.
     */
    private void addPrompt(EncodedDialog.Builder dialog, List<ChatMessage> messages, int answered, int end) {
        int[] prompt = prompt(messages.subList(0, end));
        EncodedDialog before = dialog.build();
        int shared = Arrays.mismatch(before.ids(), prompt);
        if (answered == 0 || shared == before.length()) {
            dialog.add(Arrays.copyOfRange(prompt, before.length(), prompt.length), false);
        } else {
            dialog.add(prompt(messages.subList(answered, end)), false);
        }
    }

    private int[] prompt(List<ChatMessage> messages) {
        return tokenizer.template().render(tokenizer.tokenizer(), messages);
    }

    private EncodedDialog.Builder answer(EncodedDialog.Builder dialog, ChatMessage answer) {
        return dialog.add(tokenizer.template().answer(tokenizer.tokenizer(), answer.content()), true);
    }
}
