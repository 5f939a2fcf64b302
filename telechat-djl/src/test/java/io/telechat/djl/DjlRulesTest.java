// SPDX-License-Identifier: Apache-2.0
package io.telechat.djl;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.conditions.ArchConditions;
import java.util.Set;

@AnalyzeClasses(packages = "io.telechat.djl", importOptions = ImportOption.DoNotIncludeTests.class)
class DjlRulesTest {
    /** What any application could have written. */
    @ArchTest
    static final ArchRule standsOnTheLibrarysPublicPackages = classes()
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    "java..",
                    "com.fasterxml..",
                    "org.slf4j..",
                    "ai.djl..",
                    "io.telechat.djl",
                    "io.telechat.core",
                    "io.telechat.core.chat",
                    "io.telechat.core.tensor",
                    "io.telechat.core.tokenizer",
                    "io.telechat.infer",
                    "io.telechat.infer.engine",
                    "io.telechat.infer.generation",
                    "io.telechat.infer.grammar",
                    "io.telechat.infer.tools",
                    // which tells our checkpoints from those of other engines
                    "io.telechat.core.architecture");

    /** All else may change with every version. */
    private static final Set<String> PUBLIC = Set.of(
            "ChatInput",
            "ChatInput$Builder",
            "ChatOutput",
            "ChatStream",
            "TelechatArray",
            "TelechatModel",
            // found by DJL by their names
            "TelechatEngineProvider",
            "TelechatRepositoryFactory",
            "TelechatRepositoryFactory$NoBlock",
            "TelechatTranslatorFactory");

    @ArchTest
    static final ArchRule nothingElseIsPublic = classes()
            .that()
            .arePublic()
            .should(ArchConditions.be(DescribedPredicate.describe(
                    "among what users need",
                    type -> PUBLIC.contains(
                            type.getName().substring(type.getPackageName().length() + 1)))));
}
