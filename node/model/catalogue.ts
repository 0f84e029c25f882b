/** Models that are known by name, each at a fixed revision, so that the checksums hold for ever. */

export interface KnownFile {
  /** Below the base address. */
  readonly path: string
  readonly bytes: number
  /** Hex. */
  readonly sha256: string
}

export interface KnownModel {
  readonly name: string
  /** For people. */
  readonly about: string
  /** Below the hub's address. */
  readonly repository: string
  readonly revision: string
  /** The model last: a folder without it is seen to be unfinished. */
  readonly files: readonly KnownFile[]
}

/**
 * The default is the authors' own f32 export: four times the bytes of an 8-bit one, fetched once, and every decision is made on
 * what the fits were made for. Dynamic int8 moves a pair's cosine by 0.01 on average and 0.05 at worst, differently on each
 * processor; the width of what is served and what is not is less than that. It stays to be had, for small disks.
 */
export const knownModels: readonly KnownModel[] = [
  {
    name: 'all-MiniLM-L6-v2',
    about: 'English, 384 dimensions, f32',
    repository: 'sentence-transformers/all-MiniLM-L6-v2',
    revision: '1110a243fdf4706b3f48f1d95db1a4f5529b4d41',
    files: [
      {
        path: 'config.json',
        bytes: 612,
        sha256: '953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41',
      },
      {
        path: 'tokenizer_config.json',
        bytes: 350,
        sha256: 'acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b',
      },
      {
        path: 'tokenizer.json',
        bytes: 466_247,
        sha256: 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037',
      },
      {
        path: 'onnx/model.onnx',
        bytes: 90_405_214,
        sha256: '6fd5d72fe4589f189f8ebc006442dbb529bb7ce38f8082112682524616046452',
      },
    ],
  },
  {
    name: 'all-MiniLM-L6-v2-int8',
    about: 'the same in 23 MB and up to twice as fast; decides less exactly',
    repository: 'Xenova/all-MiniLM-L6-v2',
    revision: '751bff37182d3f1213fa05d7196b954e230abad9',
    files: [
      {
        path: 'tokenizer_config.json',
        bytes: 366,
        sha256: '9261e7d79b44c8195c1cada2b453e55b00aeb81e907a6664974b4d7776172ab3',
      },
      {
        path: 'tokenizer.json',
        bytes: 711_661,
        sha256: 'da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0',
      },
      {
        path: 'onnx/model_quantized.onnx',
        bytes: 22_972_370,
        sha256: 'afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1',
      },
    ],
  },
]

export const defaultModel = 'all-MiniLM-L6-v2'
