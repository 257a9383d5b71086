"""Folders of transformers: small models with random weights, made in their own environment."""

from __future__ import annotations

TEXTS = (
    *("BertModel", "BertForSequenceClassification", "BertForMaskedLM", "DistilBertForMaskedLM"),
    *("RobertaForQuestionAnswering", "XLMRobertaForTokenClassification", "MPNetModel"),
    *("AlbertForTokenClassification", "ElectraForSequenceClassification"),
    *("DebertaV2ForSequenceClassification", "ModernBertForSequenceClassification"),
)
PICTURES = (
    *("ViTForImageClassification", "DeiTForImageClassification", "BeitForImageClassification"),
    *(
        "ConvNextForImageClassification",
        "SwinForImageClassification",
        "ResNetForImageClassification",
    ),
    *("MobileViTForImageClassification", "SegformerForSemanticSegmentation"),
    *("DetrForObjectDetection", "YolosForObjectDetection"),
)
SOUNDS = ("Wav2Vec2ForCTC",)

MAKE = """
import json
import sys
import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

name, path = sys.argv[-2:]
torch.manual_seed(0)
layers = {"num_hidden_layers": 2, "num_attention_heads": 4}
text = {"vocab_size": 120, "hidden_size": 32, "intermediate_size": 64, **layers}
small = {"vocab_size": 120, "dim": 32, "hidden_dim": 64, "n_heads": 4, "n_layers": 2}
picture = {"hidden_size": 32, "intermediate_size": 64, "image_size": 32, "patch_size": 8, **layers}
depths = {"hidden_sizes": [8, 16, 24, 32], "depths": [1, 1, 1, 1]}
shifted = {"embed_dim": 16, "depths": [2, 2], "num_heads": [2, 4], "window_size": 4}
relative = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_buckets": 16}
relative |= {"share_att_key": True, "norm_rel_ebd": "layer_norm"}
sound = {"conv_dim": [8] * 7, "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 4}
detector = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1, "num_queries": 6}
detector |= {"encoder_ffn_dim": 32, "decoder_ffn_dim": 32, "encoder_attention_heads": 4}
detector |= {"decoder_attention_heads": 4, "backbone": None, "use_timm_backbone": False}
detector |= {"use_pretrained_backbone": False}
mobile = {"hidden_sizes": [24, 32, 40], "neck_hidden_sizes": [8, 16, 24, 32, 40, 48, 80]}
names = {"id2label": {0: "bad", 1: "good", 2: "fine"}, "label2id": {"bad": 0, "good": 1, "fine": 2}}
settings = {
    "Bert": text,
    "DistilBert": small,
    "Roberta": {**text, "type_vocab_size": 1},
    "XLMRoberta": {**text, "type_vocab_size": 1},
    "MPNet": text,
    "Albert": {**text, "embedding_size": 16},
    "Electra": {**text, "embedding_size": 16},
    "DebertaV2": {**text, **relative},
    "ModernBert": {**text, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
                   "cls_token_id": 1, "sep_token_id": 2},
    "ViT": picture,
    "DeiT": picture,
    "Beit": {**picture, "use_relative_position_bias": True},
    "ConvNext": {**depths, "image_size": 64},
    "Swin": {**shifted, "image_size": 64},
    "ResNet": {**depths, "embedding_size": 8},
    "MobileViT": {**mobile, "image_size": 64, "num_attention_heads": 2},
    "Segformer": {**depths, "num_attention_heads": [1, 2, 2, 4], "decoder_hidden_size": 16,
                  "image_size": 64},
    "Detr": detector,
    "Yolos": {**picture, "image_size": [32, 48], "num_detection_tokens": 5},
    "Wav2Vec2": {**text, **sound},
    "GPT2": {"vocab_size": 120, "n_embd": 32, "n_layer": 1, "n_head": 2},
}
kind = name.partition("For")[0].removesuffix("LMHeadModel").removesuffix("Model")
given = settings[kind]
if name.endswith("SequenceClassification") or kind == "ViT":
    given = {**given, **names}
if kind == "Detr":
    back = {"embedding_size": 8, "out_features": ["stage4"], **depths}
    given = {**given, "backbone_config": transformers.ResNetConfig(**back)}
model = getattr(transformers, name)(getattr(transformers, kind + "Config")(**given))
# The weights of a new model are so small that some outputs are 0, and equal to any other 0.
for one in model.parameters():
    if one.ndim > 1:
        torch.nn.init.normal_(one, std=2 / one[0].numel() ** 0.5)
if kind == "MobileViT":  # its normalization would leave next to nothing of untrained pictures
    for one in model.modules():
        if isinstance(one, torch.nn.BatchNorm2d):
            one.momentum = 1.0
    with torch.no_grad():
        model.train()(pixel_values=torch.randn(8, 3, 64, 64))
model.save_pretrained(path, max_shard_size="60KB" if name == "BertModel" else "5GB")
if kind == "Bert":
    made = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    trainer = trainers.WordPieceTrainer(vocab_size=120, special_tokens=special)
    made.train_from_iterator(["a cat sat on a mat", "a dog ran"] * 9, trainer)
    made.save(path + "/tokenizer.json")
    with open(path + "/tokenizer_config.json", "w") as file:
        wanted = ["input_ids", "token_type_ids", "attention_mask"]
        json.dump({"tokenizer_class": "BertTokenizer", "model_input_names": wanted}, file)
if kind == "ViT":
    transformers.ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(path)
with open(path + "/README.md", "w") as file:
    file.write("---\\nlicense: apache-2.0\\n---\\n# A model\\n")
"""
"""A program; its last two arguments are the class of the model and the folder to write."""
