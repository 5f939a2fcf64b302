// SPDX-License-Identifier: Apache-2.0
import io.telechat.infer.ChatModel;
import io.telechat.infer.ChatSession;
import java.nio.file.Path;

/** Asks a model in this process: {@code Chat DIR QUESTION…}, one answer after the other in one conversation. */
public final class Chat {
    public static void main(String[] arguments) {
        try (ChatModel model = ChatModel.load(Path.of(arguments[0]));
                ChatSession session = model.newSession()) {
            for (int i = 1; i < arguments.length; i++) {
                System.out.println("> " + arguments[i]);
                session.send(arguments[i], token -> System.out.print(token.text()));
                System.out.println();
            }
        }
    }
}
