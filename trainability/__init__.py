"""How wide must a ReLU network be, and how initialized, for training to succeed?"""
