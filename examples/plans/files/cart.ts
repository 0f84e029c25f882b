export interface Item {
  name: string
  price: number
  count: number
}

export class Cart {
  items: Item[] = []
  discount = 0

  add(item: Item) {
    for (let i = 0; i < this.items.length; i++) {
      if (this.items[i]!.name == item.name) {
        this.items[i]!.count = this.items[i]!.count + item.count
        return
      }
    }
    this.items.push(item)
  }

  total() {
    let t = 0
    for (let i = 0; i < this.items.length; i++) {
      t = t + this.items[i]!.price * this.items[i]!.count
    }
    if (this.discount > 0) {
      t = t - t * this.discount
    }
    return t
  }

  totalWithTax(tax: number) {
    let t = 0
    for (let i = 0; i < this.items.length; i++) {
      t = t + this.items[i]!.price * this.items[i]!.count
    }
    if (this.discount > 0) {
      t = t - t * this.discount
    }
    return t + t * tax
  }
}
