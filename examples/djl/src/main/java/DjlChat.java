// SPDX-License-Identifier: Apache-2.0
import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import io.telechat.djl.ChatInput;
import io.telechat.djl.ChatStream;
import java.nio.file.Path;

/** The same by the Deep Java Library, as a stream: {@code DjlChat DIR QUESTION}. */
public final class DjlChat {
    public static void main(String[] arguments) throws Exception {
        Criteria<ChatInput, ChatStream> criteria = Criteria.builder()
                .setTypes(ChatInput.class, ChatStream.class)
                .optEngine("TeleChat")
                .optModelPath(Path.of(arguments[0]))
                .build();
        try (ZooModel<ChatInput, ChatStream> model = criteria.loadModel();
                Predictor<ChatInput, ChatStream> predictor = model.newPredictor();
                ChatStream answer = predictor.predict(ChatInput.text(arguments[1]))) {
            answer.forEach(System.out::print);
            System.out.println();
        }
    }
}
