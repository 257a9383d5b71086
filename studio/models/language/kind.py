"""The kind of models that write text."""

from studio.models.kinds import ModelKind

LANGUAGE = ModelKind(
    "language models",
    formats=("gguf",),
    folder_format="language-folder",
    module="studio.models.language.folder",
    evaluate="studio.quantization.language.evaluation:evaluate_language_model",
    profile="studio.profiling.language.work:profile_language",
    package="studio.packages.language:content",
)
